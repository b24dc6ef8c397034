package io.crosstide.cli.bench;

import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.concurrent.locks.LockSupport;

/**
 * Does something with one Redis at a steady beat, on a thread and a connection of its own. Beats
 * that were missed, because Redis or the machine stood still, are not made up for: a bunch of them
 * would count the moment after a pause many times over.
 */
abstract class RedisClock implements AutoCloseable {
  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final long periodNanos;
  private final Thread thread;
  private volatile boolean stopped;

  /**
   * @param connection closed together with this
   */
  RedisClock(
      String threadName, StatefulRedisConnection<byte[], byte[]> connection, long periodNanos) {
    this.connection = connection;
    this.periodNanos = periodNanos;
    this.thread = new Thread(this::run, threadName);
  }

  /**
   * One beat.
   *
   * @throws RedisException if Redis is away or refuses; the next beat is tried all the same
   */
  abstract void beat(StatefulRedisConnection<byte[], byte[]> redis);

  /** A beat has failed. */
  abstract void failed();

  void start() {
    thread.start();
  }

  private void run() {
    long due = System.nanoTime();
    while (!stopped) {
      try {
        beat(connection);
      } catch (RedisException e) {
        failed();
      }
      due = Math.max(due + periodNanos, System.nanoTime());
      LockSupport.parkNanos(due - System.nanoTime());
    }
  }

  /** Stops; harmless the second time. */
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
