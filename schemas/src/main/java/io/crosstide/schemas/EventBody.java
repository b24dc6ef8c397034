package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All of an event's value, as read by either reader and not yet joined with the record's key. */
record EventBody(
    EventHeader header,
    VersionVector context,
    Map<String, Missed> exceptions,
    Fx fx,
    ChangeEvent.StreamPosition position,
    ChangeEvent.@Nullable TransactionPart transaction,
    ChangeFields fields) {

  /** Kind as this version knows it; both readers ask before they read on. */
  static ChangeKind kindOf(EventHeader header, int offset) {
    ChangeKind kind = ChangeKind.ofCode(header.kind());
    if (kind == null) {
      throw new UnknownKindException(header.kind(), offset);
    }
    if (!kind.isControl() && header.seq() < 1) {
      throw new MalformedEventException("seq", offset, "a " + kind + " with seq " + header.seq());
    }
    if (header.db() < 0) {
      throw new MalformedEventException("db", offset, "database " + header.db());
    }
    return kind;
  }

  ChangeEvent toEvent(ChangeKind kind, byte @Nullable [] recordKey) {
    if (kind.isControl() != (recordKey == null)) {
      throw new MalformedEventException(
          "key",
          MalformedEventException.NO_OFFSET,
          "a " + kind + (recordKey == null ? " without a record key" : " with a record key"));
    }
    Change change = fields.toChange(kind);
    RedisKey key = recordKey == null ? null : new RedisKey(header.db(), Bytes.wrap(recordKey));
    boolean createsKey =
        fields.deadline() == ChangeFields.NEW_KEY && ChangeEvent.mayCreateKey(change);
    return new ChangeEvent(
        header.origin(),
        header.seq(),
        header.previousSeq(),
        header.captureEpoch(),
        header.stamp(),
        context,
        exceptions,
        fx,
        key,
        change,
        position,
        transaction,
        createsKey);
  }
}
