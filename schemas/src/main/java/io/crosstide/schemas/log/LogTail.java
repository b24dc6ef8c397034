package io.crosstide.schemas.log;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.schemas.EventHeader;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The records of one partition's log from some place to its end, summed up by the fence rule (P16):
 * a record of an older capture behind one of a newer capture does not count. Grows only; {@link
 * LogTails} feeds it.
 *
 * <p>Where a tail begins matters. Behind a fence that stands before its beginning there may be as
 * much of the replaced capture as that had in flight, and nothing in those records says so. {@link
 * Reach} says how far back is far enough.
 */
public final class LogTail {
  /** More than a capture has in flight, records and bytes. */
  static final long IN_FLIGHT_RECORDS = 30_000;

  private static final long IN_FLIGHT_BYTES = 128L << 20;

  /** Captures that start at once leave a fence each under one epoch; more than that is a beat. */
  private static final int CONTROLS_MIN = 4;

  private long endOffset;
  private long records;
  private long bytes;
  private long firstSeq;
  private int firstCaptureEpoch;

  private int captureEpoch;
  private long controls;
  private boolean hasEvents;

  /** The last seq among the newest capture's records here, and among all that counted before. */
  private long seq;

  private long seqBefore;
  private boolean wasProvenBefore;

  private long stampMax;
  private long lastEventSeq;
  private long lastEventOffset = NONE;

  /** No such record in this tail. */
  public static final long NONE = -1;

  /** When a tail begins early enough. At the log's beginning it always does. */
  @FunctionalInterface
  public interface Reach {
    boolean isReachedBy(LogTail tail);

    /**
     * Back to a place known to count, or as far as a capture may have had in flight.
     *
     * @param captureEpoch the highest that was met up to that place, 0 if nothing is known
     * @param seq of the last event up to there
     */
    static Reach known(int captureEpoch, long seq) {
      return tail ->
          tail.captureEpoch >= captureEpoch
              && ((tail.firstSeq <= seq && tail.firstCaptureEpoch >= captureEpoch)
                  || tail.isLongerThanInFlight());
    }

    /**
     * Back to records of the capture that runs, which alone tell. Mostly that is the last record.
     *
     * @param captureEpoch of that capture; 0 if it is not known, and then the newest that is met
     */
    static Reach running(int captureEpoch) {
      return tail ->
          tail.records > 0
              && tail.captureEpoch >= captureEpoch
              && (tail.isProven() || tail.isLongerThanInFlight());
    }
  }

  void add(ConsumerRecord<byte[], byte[]> record, EventHeader header) {
    if (records == 0) {
      firstSeq = header.seq();
      firstCaptureEpoch = header.captureEpoch();
    }
    records++;
    bytes += Math.max(0, record.serializedValueSize());
    if (header.captureEpoch() < captureEpoch) {
      return;
    }
    if (header.captureEpoch() > captureEpoch) {
      begin(header.captureEpoch());
    }
    stampMax = Math.max(stampMax, header.stamp().packed());
    seq = Math.max(seq, header.seq());
    if (header.isControl()) {
      controls++;
    } else {
      hasEvents = true;
      lastEventSeq = header.seq();
      lastEventOffset = record.offset();
    }
  }

  private void begin(int captureEpochNew) {
    // Between neighbouring epochs there is no other fence, so what stood here before did count.
    wasProvenBefore = captureEpochNew == captureEpoch + 1 && isProven();
    seqBefore = seq();
    if (!wasProvenBefore) {
      lastEventOffset = NONE;
    }
    captureEpoch = captureEpochNew;
    controls = 0;
    hasEvents = false;
    seq = 0;
  }

  /**
   * Whether something other than the newest capture's fence says where the log ends. A fence is
   * written before the end is read: it may name a seq that the event before it exceeds.
   */
  private boolean isProven() {
    return hasOwnEnd() || wasProvenBefore;
  }

  private boolean hasOwnEnd() {
    return hasEvents || controls >= CONTROLS_MIN;
  }

  private boolean isLongerThanInFlight() {
    return records >= IN_FLIGHT_RECORDS || bytes >= IN_FLIGHT_BYTES;
  }

  void readTo(long offset) {
    endOffset = offset;
  }

  /** The offset after the last record looked at. */
  public long endOffset() {
    return endOffset;
  }

  /** The newest capture's; 0 for an empty log. */
  public int captureEpoch() {
    return captureEpoch;
  }

  /** The last one used; 0 for an empty log. Control events, too, carry it. */
  public long seq() {
    return hasOwnEnd() ? seq : Math.max(seq, seqBefore);
  }

  /** The highest stamp among the records that count. */
  public HybridTimestamp stampMax() {
    return new HybridTimestamp(stampMax);
  }

  /** Where the event numbered {@link #seq} stands; {@link #NONE} if further back, or not proven. */
  public long lastEventOffset() {
    return lastEventSeq == seq() ? lastEventOffset : NONE;
  }
}
