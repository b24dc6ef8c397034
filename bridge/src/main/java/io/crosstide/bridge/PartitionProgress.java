package io.crosstide.bridge;

/**
 * How far one partition of a log has been copied: the position at the source below which everything
 * is acknowledged by the target.
 *
 * <p>Acknowledgements are expected in order but not trusted to be: the position moves over a record
 * only when all before it are acknowledged. Thread-safe: records are sent by the bridge's thread
 * and acknowledged on the producer's.
 *
 * <pre>
 *    position()            next to be sent
 *  ──────┼────────────────────────┼──────▶ offsets at the source
 *  acked │  awaiting ack (a ring) │
 * </pre>
 */
final class PartitionProgress {
  private static final int START = 256;

  private long[] offsets = new long[START];
  private boolean[] acked = new boolean[START];
  private long first;
  private long next;
  private long position;
  private long targetOffset;

  /**
   * @param position offset at the source from which copying starts
   * @param targetOffset highest offset known to be acknowledged by the target; -1 for none
   */
  PartitionProgress(long position, long targetOffset) {
    this.position = position;
    this.targetOffset = targetOffset;
  }

  /**
   * Notes that the record at {@code offset} is being sent; returns its ticket for {@link #acked}.
   */
  synchronized long sent(long offset) {
    if (next - first == offsets.length) {
      grow();
    }
    int at = (int) (next & (offsets.length - 1));
    offsets[at] = offset;
    acked[at] = false;
    return next++;
  }

  /** Notes the target's acknowledgement. */
  synchronized void acked(long ticket, long offsetAtTarget) {
    targetOffset = Math.max(targetOffset, offsetAtTarget);
    done(ticket);
  }

  /** Notes that the record at {@code offset} is not to be sent. */
  synchronized void skipped(long offset) {
    done(sent(offset));
  }

  private void done(long ticket) {
    acked[(int) (ticket & (offsets.length - 1))] = true;
    while (first < next) {
      int at = (int) (first & (offsets.length - 1));
      if (!acked[at]) {
        return;
      }
      position = offsets[at] + 1;
      first++;
    }
  }

  /** Offset at the source below which everything is acknowledged. */
  synchronized long position() {
    return position;
  }

  /** Highest offset that the target has acknowledged; -1 for none. */
  synchronized long targetOffset() {
    return targetOffset;
  }

  private void grow() {
    long[] moreOffsets = new long[offsets.length * 2];
    boolean[] moreAcked = new boolean[offsets.length * 2];
    for (long i = first; i < next; i++) {
      int from = (int) (i & (offsets.length - 1));
      int to = (int) (i & (moreOffsets.length - 1));
      moreOffsets[to] = offsets[from];
      moreAcked[to] = acked[from];
    }
    offsets = moreOffsets;
    acked = moreAcked;
  }
}
