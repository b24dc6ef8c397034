package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Writes into one Redis a few times a second as a client that wants to be sure: each write is
 * followed by {@code WAIT 1}, and the time to the answer of that is recorded. Few, because each
 * makes Redis ask its replicas.
 */
final class WaitClock implements Runnable, AutoCloseable {
  private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long WAIT_MILLIS = 1_000;

  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final byte[] key;
  private final Histogram micros = new Histogram(TimeUnit.SECONDS.toMicros(60), 3);
  private final Thread thread;
  private long withheld;
  private volatile boolean recording;
  private volatile boolean stopped;

  WaitClock(String name, StatefulRedisConnection<byte[], byte[]> connection) {
    this.connection = connection;
    this.key = ("bench:wait:" + name).getBytes(StandardCharsets.US_ASCII);
    this.thread = new Thread(this, "bench-wait-" + name);
  }

  void start() {
    thread.start();
  }

  void beginRecording() {
    recording = true;
  }

  void endRecording() {
    recording = false;
  }

  @Override
  public void run() {
    long due = System.nanoTime();
    for (long number = 1; !stopped; number++) {
      boolean counts = recording;
      long begin = System.nanoTime();
      try {
        Object unused =
            connection.async().set(key, Long.toString(number).getBytes(StandardCharsets.US_ASCII));
        boolean safe = connection.sync().waitForReplication(1, WAIT_MILLIS) >= 1;
        if (counts) {
          add(safe, System.nanoTime() - begin);
        }
      } catch (RedisException e) {
        // The Redis is away or restarting: nobody was told that the write is safe.
        add(false, 0);
      }
      due = Math.max(due + PERIOD_NANOS, System.nanoTime());
      LockSupport.parkNanos(due - System.nanoTime());
    }
  }

  private synchronized void add(boolean safe, long nanos) {
    if (safe) {
      micros.recordValue(Math.min(micros.getHighestTrackableValue(), nanos / 1_000));
    } else {
      withheld++;
    }
  }

  /** What was recorded: milliseconds until the write was known to be in Kafka. */
  synchronized ObjectNode json(ObjectMapper json) {
    return LagJson.of(micros, json).put("withheld", withheld);
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
