package io.crosstide.capture.beacon;

import com.moilioncircle.redis.replicator.Configuration;
import com.moilioncircle.redis.replicator.net.RedisSocketFactory;
import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.protocol.RedisKey;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
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

  private final RedisEndpoint endpoint;
  private final LongSupplier wallMillis;
  private final Thread thread;
  private volatile @Nullable Socket socket;
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
      try (Socket connected = connect()) {
        socket = connected;
        InputStream in = new BufferedInputStream(connected.getInputStream());
        login(connected, in);
        long next = System.nanoTime();
        while (!closed) {
          String answer = call(connected, in, "SET", KEY, Long.toString(wallMillis.getAsLong()));
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

  private Socket connect() throws IOException {
    Configuration configuration = endpoint.socketSettings().setReadTimeout(TIMEOUT_MILLIS);
    return new RedisSocketFactory(configuration)
        .createSocket(endpoint.host(), endpoint.port(), TIMEOUT_MILLIS);
  }

  private void login(Socket connected, InputStream in) throws IOException {
    String password = endpoint.password();
    if (password == null) {
      return;
    }
    String user = endpoint.user();
    String answer =
        user == null
            ? call(connected, in, "AUTH", password)
            : call(connected, in, "AUTH", user, password);
    if (!answer.equals("+OK") && !answer.contains("without any password")) {
      throw new IOException("login refused: " + answer);
    }
  }

  private static String call(Socket connected, InputStream in, String... words) throws IOException {
    StringBuilder request = new StringBuilder().append('*').append(words.length).append("\r\n");
    for (String word : words) {
      request
          .append('$')
          .append(word.getBytes(StandardCharsets.UTF_8).length)
          .append("\r\n")
          .append(word)
          .append("\r\n");
    }
    connected.getOutputStream().write(request.toString().getBytes(StandardCharsets.UTF_8));
    return readLine(in);
  }

  private static String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("Redis closed the connection");
      }
      line.append((char) c);
    }
    return line.toString().trim();
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
    Socket open = socket;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        log.debug("closing the beacon's connection", e);
      }
    }
  }
}
