package io.crosstide.bridge;

import java.util.function.LongSupplier;

/**
 * Spreads requests over the round trip of a long line.
 *
 * <p>An idempotent producer keeps at most five requests under way. Sent as fast as events come, all
 * five would leave within a millisecond, and the next event would wait for a whole round trip until
 * one of them is answered. Sent a fifth of a round trip apart, no event waits longer than that
 * fifth, and the batches are just as large as they must be. On a short line there is nothing to
 * spread.
 */
final class Pacer {
  /** Requests that an idempotent producer may have under way on a connection. */
  static final int REQUESTS_IN_FLIGHT = 5;

  /** Below this the wake-ups would cost more than the waiting. */
  private static final long SHORT_NANOS = 5_000_000L;

  /** After a cut all acknowledgements look slow for a while. */
  private static final long WAIT_NANOS_MAX = 50_000_000L;

  private static final long WINDOW_NANOS = 5_000_000_000L;

  private final LongSupplier nanoTime;
  private volatile long lowest = Long.MAX_VALUE;
  private long lowestBefore = Long.MAX_VALUE;
  private long windowStart;
  private long lastSend;

  Pacer(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    windowStart = nanoTime.getAsLong();
    lastSend = windowStart - WINDOW_NANOS;
  }

  /** Learns from one acknowledgement, {@code nanos} after its record was sent. Any thread. */
  synchronized void sample(long nanos) {
    long now = nanoTime.getAsLong();
    if (now - windowStart > WINDOW_NANOS) {
      lowestBefore = lowest;
      lowest = Long.MAX_VALUE;
      windowStart = now;
    }
    if (nanos < lowest) {
      lowest = nanos;
    }
  }

  /** Round trip as far as known: the quickest of the last acknowledgements, in ns; 0 if unknown. */
  synchronized long roundTripNanos() {
    long least = Math.min(lowest, lowestBefore);
    return least == Long.MAX_VALUE ? 0 : least;
  }

  /** How long to hold back the next group of events, in ns. */
  long nanosToWait() {
    long roundTrip = roundTripNanos();
    if (roundTrip < SHORT_NANOS) {
      return 0;
    }
    long apart = Math.min(WAIT_NANOS_MAX, roundTrip / REQUESTS_IN_FLIGHT);
    return Math.max(0, lastSend + apart - nanoTime.getAsLong());
  }

  /** Notes that a group of events was handed to the producer. Bridge's thread only. */
  void sent() {
    lastSend = nanoTime.getAsLong();
  }
}
