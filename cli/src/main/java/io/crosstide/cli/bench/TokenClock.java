package io.crosstide.cli.bench;

import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Writes numbered tokens into one Redis, a few dozen a second over keys in different partitions,
 * and remembers when each was sent, so that {@link TokenWatch}es can tell how long they took.
 */
final class TokenClock extends RedisClock {
  /** Keys that take turns, enough to meet every partition. */
  static final int KEYS = 32;

  /** Send times remembered: more than can be on their way. */
  private static final int TIMES = 1 << 14;

  private static final long PERIOD_NANOS = 20_000_000;

  private final AtomicLongArray sentNanos = new AtomicLongArray(TIMES);
  private final byte[][] keys = new byte[KEYS][];

  /** A later run must not take the tokens of an earlier one for its own. */
  private long number = System.currentTimeMillis() * 64;

  private volatile long last;

  TokenClock(String name, StatefulRedisConnection<byte[], byte[]> connection) {
    super("bench-tokens-" + name, connection, PERIOD_NANOS);
    for (int i = 0; i < KEYS; i++) {
      keys[i] = ("bench:token:" + name + ":" + i).getBytes(StandardCharsets.US_ASCII);
    }
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
  void beat(StatefulRedisConnection<byte[], byte[]> redis) {
    number++;
    sentNanos.set((int) (number % TIMES), System.nanoTime());
    redis.sync().set(key(number), Long.toString(number).getBytes(StandardCharsets.US_ASCII));
    last = number;
  }

  /** The client writes the token once Redis is back; whoever sees it late is told the truth. */
  @Override
  void failed() {}
}
