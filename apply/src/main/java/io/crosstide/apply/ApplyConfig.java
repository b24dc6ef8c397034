package io.crosstide.apply;

import java.time.Duration;

/**
 * How this process speaks to one region's Redis.
 *
 * @param region name for metrics and messages
 * @param connectTimeout for opening a connection, logging in and loading the scripts. Too low: a
 *     Redis that is busy for a moment is never reached. Too high: an unreachable one is noticed
 *     late
 * @param reconnectDelayMin wait before the first attempt to reconnect; doubles with every failure
 * @param reconnectDelayMax longest wait between attempts; bounds how long effects wait once Redis
 *     is back
 * @param stallTimeout how long a call may stay unanswered while nothing else is answered either
 *     before the connection is given up and opened anew; doubles, up to 32 times, as long as no
 *     batch is answered. Below the longest command that clients run in this Redis it causes useless
 *     reconnects, never harm: what is sent again is not applied again
 * @param ioThreads shared by all connections to this Redis; at least 2. One thread carries more
 *     than 100,000 effects/s
 */
public record ApplyConfig(
    String region,
    RedisEndpoint redis,
    Duration connectTimeout,
    Duration reconnectDelayMin,
    Duration reconnectDelayMax,
    Duration stallTimeout,
    int ioThreads) {
  public static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  public static final Duration RECONNECT_DELAY_MIN = Duration.ofMillis(20);
  public static final Duration RECONNECT_DELAY_MAX = Duration.ofSeconds(1);
  public static final Duration STALL_TIMEOUT = Duration.ofSeconds(30);
  public static final int IO_THREADS = 2;

  public ApplyConfig {
    requirePositive("connectTimeout", connectTimeout);
    requirePositive("reconnectDelayMin", reconnectDelayMin);
    requirePositive("stallTimeout", stallTimeout);
    if (reconnectDelayMax.compareTo(reconnectDelayMin) < 0) {
      throw new IllegalArgumentException(
          "reconnectDelayMax "
              + reconnectDelayMax
              + " is below reconnectDelayMin "
              + reconnectDelayMin);
    }
    if (ioThreads < 2) {
      throw new IllegalArgumentException("ioThreads " + ioThreads + " is below 2");
    }
  }

  /** With every setting at its default. */
  public static ApplyConfig of(String region, RedisEndpoint redis) {
    return new ApplyConfig(
        region,
        redis,
        CONNECT_TIMEOUT,
        RECONNECT_DELAY_MIN,
        RECONNECT_DELAY_MAX,
        STALL_TIMEOUT,
        IO_THREADS);
  }

  private static void requirePositive(String name, Duration duration) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(name + " " + duration + " is not positive");
    }
  }
}
