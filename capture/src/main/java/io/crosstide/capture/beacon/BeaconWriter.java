package io.crosstide.capture.beacon;

import io.crosstide.capture.psync.RedisCaller;
import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.protocol.RedisKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the wall clock into Redis as {@value #KEY} every {@link #PERIOD}, so that the replication
 * stream says when its commands ran: events that are read late, after an outage of capture, are
 * stamped with the time at which they happened, and an expiry can be told from a delete.
 *
 * <p>The beacon never goes back, or a Redis would seem to have lost data (P8), whatever the clock
 * does and however far a crash has set capture back: each connection begins by asking for the
 * beacon that stands.
 *
 * <p>While Redis refuses or is away it keeps trying; commands read meanwhile have a less exact
 * time. One thread, one connection.
 */
public final class BeaconWriter implements AutoCloseable {
  public static final String KEY = RedisKey.RESERVED_PREFIX + "beacon";
  public static final Duration PERIOD = Duration.ofMillis(100);

  private static final Logger log = LoggerFactory.getLogger(BeaconWriter.class);
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** Redis may be busy for a while with one large value: nothing to tell anybody. */
  private static final long REMARKABLE_NANOS = Duration.ofSeconds(30).toNanos();

  /**
   * Options of {@code SET} that return the value before it; the first leaves it (Redis 7), the
   * second is for 6.2.
   */
  private static final List<List<String>> ASKING = List.of(List.of("NX", "GET"), List.of("GET"));

  private static final String NULL = "$-1";
  private static final int DIGITS_MAX = 18;

  private final RedisEndpoint endpoint;
  private final LongSupplier wallMillis;
  private final AtomicLong highest = new AtomicLong();
  private final Thread thread;
  private volatile @Nullable RedisCaller connection;
  private volatile boolean closed;
  private volatile @Nullable String trouble;
  private long writtenNanos = System.nanoTime();
  private boolean warned;

  public BeaconWriter(RedisEndpoint endpoint, LongSupplier wallMillis) {
    this.endpoint = endpoint;
    this.wallMillis = wallMillis;
    this.thread = new Thread(this::run, "capture-beacon-" + endpoint.port());
    this.thread.setDaemon(true);
  }

  /**
   * No beacon below {@code millis} is written from now on.
   *
   * @param millis a beacon that is known to have been written
   */
  public void notBefore(long millis) {
    highest.accumulateAndGet(millis, Math::max);
  }

  /** Begins to write; nothing if it has begun. */
  public synchronized void start() {
    if (thread.getState() == Thread.State.NEW) {
      thread.start();
    }
  }

  /** Why the last beacon was not written; null if it was. */
  public @Nullable String trouble() {
    return trouble;
  }

  private void run() {
    while (!closed) {
      try (RedisCaller connected = RedisCaller.connect(endpoint, TIMEOUT_MILLIS)) {
        connection = connected;
        askBeforeWriting(connected);
        long next = System.nanoTime();
        while (!closed) {
          String answer = connected.call("SET", KEY, nextBeacon());
          report(answer.equals("+OK") ? null : answer);
          next += PERIOD.toNanos();
          long now = System.nanoTime();
          if (next < now) {
            next = now;
          }
          LockSupport.parkNanos(this, next - now);
        }
      } catch (IOException e) {
        if (!closed) {
          report(String.valueOf(e.getMessage()));
          LockSupport.parkNanos(this, RETRY_NANOS);
        }
      }
    }
  }

  private String nextBeacon() {
    return Long.toString(highest.accumulateAndGet(wallMillis.getAsLong(), Math::max));
  }

  /**
   * Learns of the beacon that stands with the right to {@code SET} alone. A shadow that a crash has
   * set back may not know of it, and capture may read it yet.
   */
  private void askBeforeWriting(RedisCaller connected) throws IOException {
    for (List<String> options : ASKING) {
      List<String> words = new ArrayList<>(List.of("SET", KEY, nextBeacon()));
      words.addAll(options);
      String answer = connected.call(words.toArray(new String[0]));
      if (answer.startsWith("$") && !answer.equals(NULL)) {
        stands(connected.bulk(Integer.parseInt(answer.substring(1))));
      }
      if (!answer.startsWith("-ERR syntax")) {
        return; // whatever else is refused, the write that follows reports
      }
    }
  }

  private void stands(byte[] found) {
    String value = new String(found, StandardCharsets.ISO_8859_1);
    if (found.length <= DIGITS_MAX && value.matches("[0-9]+")) {
      notBefore(Long.parseLong(value));
    } else {
      log.warn("{} of {} held no time, so somebody else wrote it: overwritten", KEY, endpoint);
    }
  }

  private void report(@Nullable String problem) {
    trouble = problem;
    long now = System.nanoTime();
    if (problem == null) {
      writtenNanos = now;
      if (warned) {
        warned = false;
        log.info("the beacon is written to {} again", endpoint);
      }
    } else if (!warned && now - writtenNanos >= REMARKABLE_NANOS) {
      warned = true;
      log.warn(
          "the beacon could not be written to {} for {} s: {}. Trying on; until then the time of"
              + " late events is less exact.",
          endpoint,
          TimeUnit.NANOSECONDS.toSeconds(now - writtenNanos),
          problem);
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    RedisCaller open = connection;
    if (open != null) {
      open.close();
    }
  }
}
