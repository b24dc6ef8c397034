package io.crosstide.bridge;

import java.util.function.LongSupplier;

/**
 * Spreads requests over a long line's round trip.
 *
 * <p>An idempotent producer keeps at most five requests under way. Sent as fast as events come, all
 * five leave within a few milliseconds, and what comes next waits for the first to be answered,
 * nearly a round trip. A fifth of the round trip from group to group, and the time to read a group,
 * leave a request free for whatever comes next; with a sixth all five were under way most of the
 * time, and one delay made each later group wait as well. On a short line there is nothing to gain.
 */
final class Pacer {
  /** Requests that an idempotent producer may have under way on a connection. */
  static final int REQUESTS_IN_FLIGHT = 5;

  private static final int PAUSES_PER_ROUND_TRIP = 5;

  /** Below this the wake-ups would cost more than the waiting. */
  private static final long SHORT_NANOS = 5_000_000L;

  /** After a cut all acknowledgements look slow for a while. */
  private static final long WAIT_NANOS_MAX = 50_000_000L;

  /** Weight of one acknowledgement in the mean. */
  private static final double WEIGHT = 1.0 / 8;

  private final LongSupplier nanoTime;
  private volatile double roundTripNanos;
  private long nextSend;

  Pacer(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.nextSend = nanoTime.getAsLong();
  }

  /** Learns from one acknowledgement, {@code nanos} after its record was sent. One thread. */
  void sample(long nanos) {
    double mean = roundTripNanos;
    roundTripNanos = mean == 0 ? nanos : mean + WEIGHT * (nanos - mean);
  }

  /** How long to hold back the reading of the next group of events, in ns. */
  long nanosToWait() {
    return Math.max(0, nextSend - nanoTime.getAsLong());
  }

  /** Notes that a group of events is being handed to the producer. Bridge's thread only. */
  void sending() {
    double roundTrip = roundTripNanos;
    long apart =
        roundTrip < SHORT_NANOS
            ? 0
            : Math.min(WAIT_NANOS_MAX, (long) (roundTrip / PAUSES_PER_ROUND_TRIP));
    nextSend = nanoTime.getAsLong() + apart;
  }
}
