package io.crosstide.cli.bench;

import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes numbered tokens into one Redis, a few dozen a second over keys in different partitions,
 * and remembers when each was sent, so that {@link TokenWatch}es can tell how long they took.
 */
final class TokenClock implements Runnable, AutoCloseable {
  /** Keys that take turns, enough to meet every partition. */
  static final int KEYS = 32;

  /** Send times remembered: more than can be on their way. */
  private static final int TIMES = 1 << 14;

  private static final long PERIOD_NANOS = 20_000_000;

  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final AtomicLongArray sentNanos = new AtomicLongArray(TIMES);
  private final byte[][] keys = new byte[KEYS][];
  private final Thread thread;
  private volatile long last;
  private volatile boolean stopped;

  TokenClock(String name, StatefulRedisConnection<byte[], byte[]> connection) {
    this.connection = connection;
    for (int i = 0; i < KEYS; i++) {
      keys[i] = ("bench:token:" + name + ":" + i).getBytes(StandardCharsets.US_ASCII);
    }
    this.thread = new Thread(this, "bench-tokens-" + name);
  }

  void start() {
    thread.start();
  }

  /** Number of the last token sent; 0 before the first. */
  long last() {
    return last;
  }

  /** When token {@code number} was sent, by {@link System#nanoTime()}. */
  long sentNanos(long number) {
    return sentNanos.get((int) (number % TIMES));
  }

  /** The key that token {@code number} is written to. */
  byte[] key(long number) {
    return keys[(int) (number % KEYS)];
  }

  @Override
  public void run() {
    // A later run must not take the tokens of an earlier one for its own.
    long number = System.currentTimeMillis() * 64;
    long due = System.nanoTime();
    while (!stopped) {
      number++;
      sentNanos.set((int) (number % TIMES), System.nanoTime());
      connection.sync().set(key(number), Long.toString(number).getBytes(StandardCharsets.US_ASCII));
      last = number;
      due += PERIOD_NANOS;
      LockSupport.parkNanos(due - System.nanoTime());
    }
  }

  /** Stops sending; harmless the second time. */
  @Override
  public void close() {
    if (stopped) {
      return;
    }
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    connection.close();
  }
}
