package io.crosstide.capture.content;

import io.crosstide.capture.command.ContentScript;
import io.crosstide.capture.psync.RedisCaller;
import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.protocol.RedisKey;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has Redis put contents into its replication stream that capture asked for, one after the other.
 * While Redis is away or refuses (no memory, loading, busy, no right) it tries on, ever more
 * slowly. What it is asked for is not kept: a capture that starts again asks again.
 *
 * <p>One thread, which connects when the first content is asked for.
 */
public final class ContentReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ContentReader.class);

  /** A long value may take a while, and so may the script of a client before it. */
  private static final int ANSWER_MILLIS_MAX = 60_000;

  private static final long RETRY_MILLIS_MIN = 50;
  private static final long RETRY_MILLIS_MAX = Duration.ofSeconds(5).toMillis();

  private final RedisEndpoint endpoint;
  private final int valueBytesMax;
  private final Thread thread;

  /** Guarded by {@code this}. */
  private final Map<RedisKey, Request> wanted = new LinkedHashMap<>();

  private volatile @Nullable RedisCaller connection;
  private volatile boolean closed;
  private volatile @Nullable String trouble;

  /** One asking for a key: a later one of the same key is another. */
  private static final class Request {
    final RedisKey key;

    Request(RedisKey key) {
      this.key = key;
    }
  }

  /**
   * @param valueBytesMax longest string that is put into the stream
   */
  public ContentReader(RedisEndpoint endpoint, int valueBytesMax) {
    this.endpoint = endpoint;
    this.valueBytesMax = valueBytesMax;
    this.thread = new Thread(this::run, "capture-content-" + endpoint.port());
    this.thread.setDaemon(true);
  }

  /** Puts the content of {@code key} into the stream, soon. Any thread. */
  public synchronized void want(RedisKey key) {
    if (closed) {
      return;
    }
    wanted.computeIfAbsent(key, Request::new);
    if (thread.getState() == Thread.State.NEW) {
      thread.start();
    }
    notifyAll();
  }

  /** Nothing is wanted any more, but what is being done is ended. Any thread. */
  public synchronized void forget() {
    wanted.clear();
  }

  /** Why the last content could not be had; null if it could. */
  public @Nullable String trouble() {
    return trouble;
  }

  private void run() {
    long pause = RETRY_MILLIS_MIN;
    while (!closed) {
      try (RedisCaller connected = connectWhenWanted()) {
        connection = connected;
        while (!closed) {
          Request request = first();
          String answer = connected.call(ContentScript.call(request.key, valueBytesMax));
          if (answer.equals("+OK")) {
            done(request);
            pause = RETRY_MILLIS_MIN;
          } else {
            report(answer);
            pause = waitFor(pause);
          }
        }
      } catch (IOException e) {
        if (!closed) {
          report(String.valueOf(e.getMessage()));
          try {
            pause = waitFor(pause);
          } catch (InterruptedException interrupted) {
            return;
          }
        }
      } catch (InterruptedException e) {
        return; // closed
      }
    }
  }

  private RedisCaller connectWhenWanted() throws IOException, InterruptedException {
    Request request = first();
    log.debug("{} is read back from {}", request.key, endpoint);
    return RedisCaller.connect(endpoint, ANSWER_MILLIS_MAX);
  }

  /** Waits for something to be wanted, and leaves it so. */
  private synchronized Request first() throws InterruptedException {
    while (wanted.isEmpty()) {
      wait();
    }
    return wanted.values().iterator().next();
  }

  private synchronized void done(Request request) {
    wanted.remove(request.key, request);
    if (trouble != null) {
      log.info("contents can be read back from {} again", endpoint);
      trouble = null;
    }
  }

  private void report(String problem) {
    if (trouble == null) {
      log.warn(
          "the content of a key that a command has changed in a way that is not in the stream could"
              + " not be read back from {}: {}. Trying on; until then what changes that key is not"
              + " replicated.",
          endpoint,
          problem);
    }
    trouble = problem;
  }

  /** The thread does nothing else meanwhile, and {@link #close} interrupts it. */
  private static long waitFor(long pause) throws InterruptedException {
    Thread.sleep(pause);
    return Math.min(RETRY_MILLIS_MAX, 2 * pause);
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    RedisCaller open = connection;
    if (open != null) {
      open.close();
    }
  }
}
