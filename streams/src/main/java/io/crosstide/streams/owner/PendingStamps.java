package io.crosstide.streams.owner;

/**
 * Stamps of one origin's events that are merged but not known to be in Redis, in order of seq.
 * Bounded: when it is full, further events go unmeasured.
 */
final class PendingStamps {
  private static final int CAPACITY = 1 << 14;

  private final long[] seqs = new long[CAPACITY];
  private final long[] stampMillis = new long[CAPACITY];
  private int head;
  private int size;

  /** Receives stamps. */
  interface Visitor {
    void stamp(long stampMillis);
  }

  void add(long seq, long stamp) {
    if (size < CAPACITY) {
      int at = (head + size) & (CAPACITY - 1);
      seqs[at] = seq;
      stampMillis[at] = stamp;
      size++;
    }
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
