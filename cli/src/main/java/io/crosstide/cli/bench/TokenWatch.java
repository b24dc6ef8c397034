package io.crosstide.cli.bench;

import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Polls one Redis for the tokens of another until each is visible, and records how long that took
 * beyond the link's delay. It polls only while a token is on its way and could have arrived, going
 * by the earliest of late; its resolution is the pause between two polls, 0.2 ms or a sixteenth of
 * the time beyond the delay so far, plus one round trip. A token that is there at the first poll
 * counts as having come just then: lag is never understated.
 */
final class TokenWatch implements Runnable, AutoCloseable {
  private static final long POLL_NANOS_MIN = 200_000;

  /** Polling takes its share of the machine that is measured: no finer than matters. */
  private static final int POLLS_PER_LAG = 16;

  /** The first poll is due after this share of the earliest lag of late. */
  private static final double FIRST_POLL = 0.8;

  /** What {@link #firstPollNanos} grows by with each token that comes later. */
  private static final double CREEP = 1.01;

  private static final long LAG_MICROS_MAX = TimeUnit.MINUTES.toMicros(10);

  private final TokenClock tokens;
  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final long delayNanos;
  private final Histogram lagMicros = new Histogram(LAG_MICROS_MAX, 3);
  private final Thread thread;

  /** Polling begins so long after the link's delay has passed. Watching thread only. */
  private double firstPollNanos;

  private volatile long seen;
  private volatile long recordFrom = Long.MAX_VALUE;
  private volatile long recordTo = Long.MAX_VALUE;
  private volatile boolean stopped;

  /**
   * @param delayNanos of the link, which is not counted
   */
  TokenWatch(
      String name,
      TokenClock tokens,
      StatefulRedisConnection<byte[], byte[]> connection,
      long delayNanos) {
    this.tokens = tokens;
    this.connection = connection;
    this.delayNanos = delayNanos;
    this.thread = new Thread(this, "bench-watch-" + name);
  }

  void start() {
    thread.start();
  }

  /** Records tokens sent from now on. */
  void beginRecording() {
    recordFrom = tokens.last() + 1;
  }

  /** Records no tokens sent from now on; those sent before are still awaited. */
  void endRecording() {
    recordTo = tokens.last();
  }

  /** Whether every token that is to be recorded has been seen. */
  boolean isComplete() {
    return seen >= recordTo;
  }

  /** What was recorded so far, in microseconds. */
  Histogram lagMicros() {
    synchronized (lagMicros) {
      return lagMicros.copy();
    }
  }

  @Override
  public void run() {
    seen = tokens.last();
    while (!stopped) {
      long awaited = seen + 1;
      long beyond = 0;
      if (seen == 0) {
        seen = tokens.last();
      } else if (tokens.last() >= awaited) {
        long sent = tokens.sentNanos(awaited);
        boolean first = parkUntil(sent + delayNanos + (long) firstPollNanos);
        boolean visible = isVisible(awaited);
        beyond = System.nanoTime() - sent - delayNanos;
        if (visible) {
          learn(beyond, first);
          add(awaited, beyond);
          seen = awaited;
          continue;
        }
      }
      LockSupport.parkNanos(Math.max(POLL_NANOS_MIN, beyond / POLLS_PER_LAG));
    }
  }

  /** Whether there was anything to wait for. */
  private static boolean parkUntil(long nanos) {
    boolean early = nanos - System.nanoTime() > 0;
    for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
    return early;
  }

  /**
   * Moves the first poll with the earliest lags.
   *
   * @param atFirst the token was there at the first poll, which was waited for
   */
  private void learn(long beyondNanos, boolean atFirst) {
    firstPollNanos =
        atFirst
            ? firstPollNanos * FIRST_POLL
            : Math.min(Math.max(POLL_NANOS_MIN, firstPollNanos * CREEP), beyondNanos * FIRST_POLL);
  }

  private boolean isVisible(long number) {
    try {
      byte[] value = connection.sync().get(tokens.key(number));
      return value != null
          && Long.parseLong(new String(value, StandardCharsets.US_ASCII)) >= number;
    } catch (RedisException e) {
      // The Redis is away or restarting: not visible yet, which is what is being measured.
      return false;
    }
  }

  private void add(long token, long nanos) {
    if (token >= recordFrom && token <= recordTo) {
      synchronized (lagMicros) {
        lagMicros.recordValue(Math.min(LAG_MICROS_MAX, Math.max(0, nanos / 1_000)));
      }
    }
  }

  @Override
  public void close() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    connection.close();
  }
}
