package io.crosstide.control.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A read-only connection to one region's Redis, opened at first use and kept. Not thread-safe: the
 * connection's selected database belongs to whoever uses it.
 */
public final class RegionRedis implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final String region;
  private final RedisURI uri;
  private final RedisClient client;
  private @org.jspecify.annotations.Nullable StatefulRedisConnection<byte[], byte[]> connection;
  private int selectedDb;

  /**
   * @param client shared by all regions; it is not closed here
   */
  public RegionRedis(String region, RedisURI uri, RedisClient client) {
    this.region = region;
    this.uri = uri;
    this.client = client;
  }

  /** Client options that fail at once while a Redis is away, rather than queue. */
  public static ClientOptions clientOptions() {
    return ClientOptions.builder()
        .autoReconnect(false)
        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        .timeoutOptions(TimeoutOptions.enabled(TIMEOUT))
        .build();
  }

  RedisURI uri() {
    return uri;
  }

  public String region() {
    return region;
  }

  /**
   * Commands in database {@code db}.
   *
   * @throws RedisUnavailableException if Redis cannot be reached
   */
  RedisAsyncCommands<byte[], byte[]> commands(int db) throws RedisUnavailableException {
    try {
      StatefulRedisConnection<byte[], byte[]> open = connection;
      if (open == null || !open.isOpen()) {
        close();
        open = client.connect(ByteArrayCodec.INSTANCE, uri);
        connection = open;
        selectedDb = 0;
      }
      if (selectedDb != db) {
        await(open.async().select(db));
        selectedDb = db;
      }
      return open.async();
    } catch (RedisException e) {
      throw unavailable(e);
    }
  }

  /**
   * The answer to a command.
   *
   * @throws RedisUnavailableException if there is none, or it is an error
   */
  <T> T await(RedisFuture<T> future) throws RedisUnavailableException {
    try {
      return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw unavailable(e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException e) {
      throw unavailable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(e);
    }
  }

  private RedisUnavailableException unavailable(Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    // A refused login or certificate says so only at its root.
    String reason = root.getMessage() == null ? root.toString() : root.getMessage();
    return new RedisUnavailableException(
        "Redis of " + region + " (" + uri.getHost() + ":" + uri.getPort() + "): " + reason, cause);
  }

  @Override
  public void close() {
    StatefulRedisConnection<byte[], byte[]> open = connection;
    connection = null;
    if (open != null) {
      open.close();
    }
  }
}
