package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Writes into one Redis a few times a second as a client that wants to be sure: each write is
 * followed by {@code WAIT 1}, and the time to the answer of that is recorded. Few, because each
 * makes Redis ask its replicas.
 */
final class WaitClock extends RedisClock {
  private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long WAIT_MILLIS = 1_000;

  private final byte[] key;
  private final Histogram micros = new Histogram(TimeUnit.SECONDS.toMicros(60), 3);
  private long withheld;
  private volatile boolean recording;
  private long number;

  WaitClock(String name, StatefulRedisConnection<byte[], byte[]> connection) {
    super("bench-wait-" + name, connection, PERIOD_NANOS);
    this.key = ("bench:wait:" + name).getBytes(StandardCharsets.US_ASCII);
  }

  void beginRecording() {
    recording = true;
  }

  void endRecording() {
    recording = false;
  }

  @Override
  void beat(StatefulRedisConnection<byte[], byte[]> redis) {
    boolean counts = recording;
    long begin = System.nanoTime();
    Object unused =
        redis.async().set(key, Long.toString(++number).getBytes(StandardCharsets.US_ASCII));
    boolean safe = redis.sync().waitForReplication(1, WAIT_MILLIS) >= 1;
    if (counts) {
      add(safe, System.nanoTime() - begin);
    }
  }

  /** Nobody was told that the write is safe. */
  @Override
  void failed() {
    if (recording) {
      add(false, 0);
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
}
