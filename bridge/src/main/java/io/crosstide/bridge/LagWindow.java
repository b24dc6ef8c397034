package io.crosstide.bridge;

import java.util.function.LongSupplier;

/**
 * Distribution of delays over the last 15 to 30 seconds, in two windows that take turns.
 *
 * <p>Buckets are exact below 16 ms and at most 1/16 too coarse above. An entry costs a few
 * nanoseconds and no memory, which is why this is not a library's histogram: it is called for every
 * event. Thread-safe.
 */
final class LagWindow {
  private static final long WINDOW_NANOS = 15_000_000_000L;
  private static final int SUB_BITS = 4;
  private static final int SUB = 1 << SUB_BITS;
  private static final int BUCKETS = (64 - SUB_BITS) * SUB;

  private final LongSupplier nanoTime;
  private long[] current = new long[BUCKETS];
  private long[] previous = new long[BUCKETS];
  private long startedAt;

  LagWindow(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.startedAt = nanoTime.getAsLong();
  }

  synchronized void record(long millis) {
    rotate();
    current[bucket(Math.max(0, millis))]++;
  }

  /** Upper end of the bucket that holds the given quantile; 0 when nothing was recorded lately. */
  synchronized long quantile(double q) {
    rotate();
    long total = 0;
    for (int i = 0; i < BUCKETS; i++) {
      total += current[i] + previous[i];
    }
    long rank = (long) Math.ceil(q * total);
    long seen = 0;
    for (int i = 0; i < BUCKETS && total > 0; i++) {
      seen += current[i] + previous[i];
      if (seen >= rank && seen > 0) {
        return upperEnd(i);
      }
    }
    return 0;
  }

  private void rotate() {
    long now = nanoTime.getAsLong();
    long age = now - startedAt;
    if (age < WINDOW_NANOS) {
      return;
    }
    long[] oldest = previous;
    previous = current;
    current = oldest;
    java.util.Arrays.fill(current, 0);
    if (age >= 2 * WINDOW_NANOS) {
      java.util.Arrays.fill(previous, 0);
    }
    startedAt = now;
  }

  static int bucket(long millis) {
    if (millis < SUB) {
      return (int) millis;
    }
    int exponent = 63 - Long.numberOfLeadingZeros(millis) - SUB_BITS;
    return (exponent + 1) * SUB + (int) ((millis >>> exponent) & (SUB - 1));
  }

  static long upperEnd(int bucket) {
    if (bucket < SUB) {
      return bucket;
    }
    int exponent = bucket / SUB - 1;
    long mantissa = (long) SUB + bucket % SUB;
    return ((mantissa + 1) << exponent) - 1;
  }
}
