package io.crosstide.capture.psync;

import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Decides how long to leave arriving bytes in the socket before they are read.
 *
 * <p>Redis sends each replica what one turn of its event loop wrote, under load thousands of times
 * a second. Read so, every write would cost its own wake-ups on the whole way to the other region:
 * in capture, in the producer, in both brokers, in the bridge and in the merge. Reads are therefore
 * spread {@link #GAP_NANOS} apart, but for the first few after a pause: a lone write, and the
 * {@code WAIT} behind it, are read at once.
 *
 * <p>One token per gap, at most {@link #TOKENS_MAX} saved. A read of much costs two: from some
 * 10,000 writes a second on, what counts is how few turns there are. One that has found half of the
 * buffer full costs one again, for it is behind. Used by the reading thread only.
 */
final class ReadPacer {
  /** Between two reads under load; half of it is added to the mean delay of a write. */
  static final long GAP_NANOS = 6_000_000L;

  /** A read of so many bytes costs two tokens. */
  static final long MUCH_BYTES = 24 << 10;

  /** A read of so many has found its buffer filled again before its turn. */
  static final long BEHIND_BYTES = 128 << 10;

  /** Reads that may follow each other at once after a pause. */
  static final int TOKENS_MAX = 8;

  private final LongSupplier nanoTime;
  private final LongConsumer park;

  /** When no token was left, by the reads so far; the gaps since are the tokens saved. */
  private long emptyAtNanos;

  /**
   * @param park waits so many nanoseconds, or less
   */
  ReadPacer(LongSupplier nanoTime, LongConsumer park) {
    this.nanoTime = nanoTime;
    this.park = park;
    this.emptyAtNanos = nanoTime.getAsLong() - TOKENS_MAX * GAP_NANOS;
  }

  /**
   * Waits until the next read is due; called when all that was read has been interpreted.
   *
   * @param bytes interpreted since the turn before
   */
  void awaitTurn(long bytes) {
    if (bytes >= MUCH_BYTES && bytes < BEHIND_BYTES) {
      emptyAtNanos += GAP_NANOS;
    }
    long now = nanoTime.getAsLong();
    emptyAtNanos = Math.max(emptyAtNanos, now - TOKENS_MAX * GAP_NANOS);
    long wait = emptyAtNanos + GAP_NANOS - now;
    if (wait > 0) {
      park.accept(wait);
    }
    emptyAtNanos += GAP_NANOS;
  }
}
