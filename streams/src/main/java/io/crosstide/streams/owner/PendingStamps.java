package io.crosstide.streams.owner;

/**
 * Stamps of one origin's events that are merged but not known to be in Redis, in order of seq.
 * While many wait, one in {@value #SPARSE} is measured: percentiles need no more, and each costs as
 * much as a tenth of a merge. Bounded: when it is full, further events go unmeasured.
 */
final class PendingStamps {
  private static final int CAPACITY = 1 << 12;

  /** As long as so few wait, every event is measured. */
  private static final int FEW = 64;

  static final int SPARSE = 8;

  private final long[] seqs = new long[CAPACITY];
  private final long[] stampMillis = new long[CAPACITY];
  private int head;
  private int size;

  /** Receives stamps. */
  interface Visitor {
    void stamp(long stampMillis);
  }

  void add(long seq, long stamp) {
    if (size < FEW || (seq % SPARSE == 0 && size < CAPACITY)) {
      int at = (head + size) & (CAPACITY - 1);
      seqs[at] = seq;
      stampMillis[at] = stamp;
      size++;
    }
  }

  /** Forgets all. */
  void clear() {
    size = 0;
  }

  /** Takes out all events up to {@code seq}. */
  void takeUpTo(long seq, Visitor visitor) {
    while (size > 0 && seqs[head] <= seq) {
      visitor.stamp(stampMillis[head]);
      head = (head + 1) & (CAPACITY - 1);
      size--;
    }
  }
}
