package io.crosstide.schemas;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;

/**
 * What a bridge, a fence or a filter needs to know of an event without decoding it.
 *
 * @param kind code of {@link ChangeKind}; negative for control events, possibly one that this
 *     version does not know
 * @param packedOrigin the log's writer, {@link Origin#packed()}
 * @param seq as {@link ChangeEvent#seq()}
 * @param previousSeq as {@link ChangeEvent#previousSeq()}; where a bridge left events out only this
 *     one says so
 * @param captureEpoch as {@link ChangeEvent#captureEpoch()}
 * @param stamp as {@link ChangeEvent#stamp()}
 * @param db the key's logical database; 0 in control events
 */
public record EventHeader(
    int kind,
    long packedOrigin,
    long seq,
    long previousSeq,
    int captureEpoch,
    HybridTimestamp stamp,
    int db) {

  public static EventHeader of(ChangeEvent event) {
    RedisKey key = event.key();
    return new EventHeader(
        ChangeKind.of(event.change()).code(),
        event.origin().packed(),
        event.seq(),
        event.previousSeq(),
        event.captureEpoch(),
        event.stamp(),
        key == null ? 0 : key.db());
  }

  public boolean isControl() {
    return kind < 0;
  }

  public Origin origin() {
    return Origin.fromPacked(packedOrigin);
  }

  /** This header for a log from which a bridge left out what stands after {@code seq}. */
  public EventHeader withPreviousSeq(long seqForwardedLast) {
    return new EventHeader(kind, packedOrigin, seq, seqForwardedLast, captureEpoch, stamp, db);
  }

  /** The event's first seven Avro fields, which are also the header's content. */
  void write(AvroOutput out) {
    out.writeLong(kind);
    out.writeLong(packedOrigin);
    out.writeLong(seq);
    out.writeLong(seq - 1 - previousSeq);
    out.writeLong(captureEpoch);
    out.writeLong(stamp.packed());
    out.writeLong(db);
  }

  static EventHeader read(AvroInput in) {
    int kind = in.field("kind").readInt();
    if (kind == 0) {
      throw in.malformed("kind 0 means nothing");
    }
    long origin = in.field("origin").readLong();
    if (!PackedOrigins.isValid(origin)) {
      throw in.malformed(origin + " is not an origin");
    }
    long seq = in.field("seq").readLong();
    long skipped = in.field("skipped").readLong();
    int captureEpoch = in.field("captureEpoch").readInt();
    long stamp = in.field("stamp").readLong();
    int db = in.field("db").readInt();
    return new EventHeader(
        kind, origin, seq, seq - 1 - skipped, captureEpoch, new HybridTimestamp(stamp), db);
  }
}
