package io.crosstide.crdt;

import java.util.function.LongSupplier;

/**
 * A hybrid logical clock (Kulkarni et al., 2014): stamps follow the wall clock, never repeat and
 * never go back, and exceed every stamp observed from others. An observed stamp is followed at most
 * {@code skewMillisMax} ahead of the local wall clock, so that one wrong clock cannot carry all
 * others away (P28); {@link #skewMillis()} then tells how far ahead it was.
 *
 * <p>Not thread-safe: one owner per log. The wall clock is passed in.
 */
public final class HybridLogicalClock {
  private final LongSupplier wallMillis;
  private final long skewMillisMax;
  private long last;
  private long skewMillis;

  public HybridLogicalClock(LongSupplier wallMillis, long skewMillisMax) {
    this.wallMillis = wallMillis;
    this.skewMillisMax = skewMillisMax;
  }

  /** A stamp greater than every stamp issued or observed before. */
  public HybridTimestamp next() {
    return nextAt(wallMillis.getAsLong());
  }

  /** As {@link #next()}, for an event known to have happened at {@code millis}. */
  public HybridTimestamp nextAt(long millis) {
    last = Math.max(last + 1, millis << 16);
    return new HybridTimestamp(last);
  }

  /** Makes later stamps exceed {@code stamp}, as far as the skew limit allows. */
  public void observe(HybridTimestamp stamp) {
    long now = wallMillis.getAsLong();
    skewMillis = Math.max(0, stamp.physicalMillis() - now);
    long limit = (now + skewMillisMax) << 16;
    if (stamp.packed() > last) {
      last = Math.max(last, Math.min(stamp.packed(), limit));
    }
  }

  /**
   * Continues after a stamp this clock's owner issued earlier, whatever the wall clock says now.
   */
  public void resumeAfter(HybridTimestamp stamp) {
    last = Math.max(last, stamp.packed());
  }

  public HybridTimestamp last() {
    return new HybridTimestamp(last);
  }

  /** How far the last observed stamp was ahead of the local wall clock; 0 if it was not. */
  public long skewMillis() {
    return skewMillis;
  }
}
