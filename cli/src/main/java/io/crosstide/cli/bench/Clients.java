package io.crosstide.cli.bench;

import io.crosstide.cli.CliException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.net.URI;
import java.time.Duration;

/** Redis connections of the bench, on two network threads. */
final class Clients implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ClientResources resources =
      DefaultClientResources.builder().ioThreadPoolSize(2).computationThreadPoolSize(2).build();
  private final RedisClient client = RedisClient.create(resources);

  StatefulRedisConnection<byte[], byte[]> connect(URI redis) {
    try {
      RedisURI uri = RedisURI.create(redis);
      uri.setTimeout(TIMEOUT);
      return client.connect(ByteArrayCodec.INSTANCE, uri);
    } catch (RedisException e) {
      throw new CliException("Redis at " + redis + " cannot be reached: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    var unused = resources.shutdown(0, 2, java.util.concurrent.TimeUnit.SECONDS);
  }
}
