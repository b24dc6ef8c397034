package io.crosstide.cli.bench;

import io.crosstide.cli.CliException;
import io.crosstide.cli.bench.Target.TargetRegion;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.redis.RedisClients;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.resource.DefaultClientResources;

/** Redis connections of the bench, on two network threads. */
final class Clients implements AutoCloseable {
  private final Logins logins;
  private final RedisClients clients =
      new RedisClients(
          DefaultClientResources.builder().ioThreadPoolSize(2).computationThreadPoolSize(2).build(),
          ClientOptions.create());

  Clients(Logins logins) {
    this.logins = logins;
  }

  StatefulRedisConnection<byte[], byte[]> connect(TargetRegion region) {
    CrosstideConfig.Redis redis = logins.redis(region);
    try {
      return clients.connect(region.name(), redis);
    } catch (RedisException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      String refused = String.valueOf(cause.getMessage());
      String hint =
          refused.startsWith("NOAUTH") || refused.startsWith("WRONGPASS")
              ? "; say with --redis-user and --redis-password-file who may write there"
              : "";
      throw new CliException(
          "Redis at " + redis.uri() + " cannot be reached: " + refused + hint, e);
    }
  }

  @Override
  public void close() {
    clients.close();
  }
}
