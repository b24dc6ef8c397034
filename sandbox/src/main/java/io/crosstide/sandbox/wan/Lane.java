package io.crosstide.sandbox.wan;

import java.util.concurrent.atomic.LongAdder;

/**
 * One direction of the connection between two regions: its one-way delay, its byte rate, and what
 * went over it.
 *
 * <p>All connections that send bytes in this direction share the rate, whichever region opened
 * them, as they would on a real line. Settings may change at any time from any thread; scheduling
 * is confined to the loop's thread.
 */
final class Lane {
  /**
   * How much may wait in front of a rate-limited line, in ns of line time: what routers buffer,
   * roughly.
   */
  static final long QUEUE_NANOS = 100_000_000L;

  static final long UNLIMITED = 0;
  private static final long SECOND = 1_000_000_000L;
  private static final int CHUNK_BYTES_MAX = 1 << 18;
  private static final int CHUNK_BYTES_MIN = 1_500;

  private final String from;
  private final String to;
  private final LongAdder bytes = new LongAdder();
  private volatile long delayNanos;
  private volatile long bytesPerSecond = UNLIMITED;
  private volatile boolean cut;
  private long freeAt = Long.MIN_VALUE;

  Lane(String from, String to) {
    this.from = from;
    this.to = to;
  }

  String from() {
    return from;
  }

  String to() {
    return to;
  }

  long delayNanos() {
    return delayNanos;
  }

  void delayNanos(long nanos) {
    delayNanos = nanos;
  }

  long bytesPerSecond() {
    return bytesPerSecond;
  }

  void bytesPerSecond(long rate) {
    bytesPerSecond = rate;
  }

  boolean isCut() {
    return cut;
  }

  void cut(boolean isCut) {
    cut = isCut;
  }

  /** Bytes that arrived at the far end so far. */
  long delivered() {
    return bytes.sum();
  }

  void delivered(long count) {
    bytes.add(count);
  }

  /** Puts {@code count} bytes on the line at {@code now}; returns when they arrive. */
  long schedule(long count, long now) {
    long rate = bytesPerSecond;
    if (rate == UNLIMITED) {
      return now + delayNanos;
    }
    long start = freeAt == Long.MIN_VALUE || freeAt - now < 0 ? now : freeAt;
    freeAt = start + (long) ((double) count * SECOND / rate);
    return freeAt + delayNanos;
  }

  /** How long bytes put on the line at {@code now} would wait before it, in ns. */
  long queuedNanos(long now) {
    if (bytesPerSecond == UNLIMITED || freeAt == Long.MIN_VALUE) {
      return 0;
    }
    return Math.max(0, freeAt - now);
  }

  /** Largest piece worth reading at once: some milliseconds of line time. */
  int chunkBytes() {
    long rate = bytesPerSecond;
    if (rate == UNLIMITED) {
      return CHUNK_BYTES_MAX;
    }
    return (int) Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, rate / 100));
  }
}
