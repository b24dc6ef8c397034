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
 * <p>What stood when a connection began also tells whether a restarted Redis came back older or
 * empty, which the next write hides from the snapshot that capture takes: {@link #wentBack}.
 *
 * <p>While Redis refuses or is away it keeps trying; commands read meanwhile have a less exact
 * time. One thread, one connection.
 */
public final class BeaconWriter implements AutoCloseable {
  public static final String KEY = RedisKey.RESERVED_PREFIX + "beacon";
  public static final Duration PERIOD = Duration.ofMillis(100);

  private static final Logger log = LoggerFactory.getLogger(BeaconWriter.class);
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final long EVIDENCE_NANOS = Duration.ofSeconds(10).toNanos();
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

  /** The last beacon known to have been in Redis; 0 if none is. */
  private final AtomicLong written = new AtomicLong();

  /** {@link #written} when the connection that stands was made. */
  private volatile long writtenBefore;

  private volatile boolean connected;

  /** What stood when the connection was made; 0 if nothing did. */
  private volatile long standing;

  private volatile boolean lossKnown;

  /** No beacon below this is written behind the one that stood. */
  private volatile long firstBehind;

  private volatile boolean wentBack;
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
    written.accumulateAndGet(millis, Math::max);
  }

  /**
   * The last beacon known to have been written over earlier connections: a Redis that holds an
   * older one was restarted and has lost data. 0 if none is known.
   */
  public long writtenBefore() {
    return lossKnown ? 0 : connected ? writtenBefore : written.get();
  }

  /** An older beacon, or none, was in the place of one that had been written. */
  public boolean wentBack() {
    return wentBack;
  }

  /**
   * The stream goes on and has shown this beacon: if none stood when a connection began, a client
   * had removed it.
   */
  public void shown(long millis) {
    if (wentBack && millis >= firstBehind) {
      wentBack = false;
    }
  }

  /** Nothing was lost, whatever stood. */
  public void forgetWentBack() {
    wentBack = false;
  }

  /** Capture knows that Redis has lost data, and has dealt with it: an older beacon is right. */
  public void lossDealtWith() {
    if (connected) {
      written.set(standing);
      writtenBefore = standing;
    } else {
      lossKnown = true;
    }
    wentBack = false;
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
        writtenBefore = written.get();
        this.connected = true;
        askBeforeWriting(connected);
        leaveEvidence();
        long next = System.nanoTime();
        while (!closed) {
          String beacon = nextBeacon();
          String answer = connected.call("SET", KEY, beacon);
          boolean isWritten = answer.equals("+OK");
          if (isWritten) {
            written.set(Long.parseLong(beacon));
          }
          report(isWritten ? null : answer);
          next += PERIOD.toNanos();
          long now = System.nanoTime();
          if (next < now) {
            next = now;
          }
          LockSupport.parkNanos(this, next - now);
        }
      } catch (IOException e) {
        connected = false;
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
      if (answer.equals(NULL)) {
        found(0);
      } else if (answer.startsWith("$")) {
        stands(connected.bulk(Integer.parseInt(answer.substring(1))));
      }
      if (!answer.startsWith("-ERR syntax")) {
        return; // whatever else is refused, the write that follows reports
      }
    }
  }

  /**
   * An old beacon is left for a while for the snapshot to show: if this process dies before capture
   * has read one, nothing else may tell that Redis lost data.
   */
  private void leaveEvidence() {
    long since = System.nanoTime();
    while (wentBack && standing > 0 && !closed && System.nanoTime() - since < EVIDENCE_NANOS) {
      LockSupport.parkNanos(this, PERIOD.toNanos());
    }
  }

  private void found(long millis) {
    standing = millis;
    if (!lossKnown && millis < written.get()) {
      firstBehind = highest.get();
      wentBack = true;
    }
    if (lossKnown) {
      written.set(millis);
      writtenBefore = millis;
      lossKnown = false;
    }
    notBefore(millis);
  }

  private void stands(byte[] bytes) {
    String value = new String(bytes, StandardCharsets.ISO_8859_1);
    if (bytes.length <= DIGITS_MAX && value.matches("[0-9]+")) {
      found(Long.parseLong(value));
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
