package io.crosstide.control.redis;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Connections to every region's Redis: own trust for each, threads for all together. */
public final class RedisClients implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ClientResources resources;
  private final ClientOptions options;
  private final Map<String, RedisClient> clients = new ConcurrentHashMap<>();

  public RedisClients() {
    this(DefaultClientResources.create(), RegionRedis.clientOptions());
  }

  /**
   * @param resources threads for all connections; closed with them
   * @param options of all connections, but for whom to trust
   */
  public RedisClients(ClientResources resources, ClientOptions options) {
    this.resources = resources;
    this.options = options;
  }

  /** The region's Redis, for reading; connected at first use, to be closed by the caller. */
  public RegionRedis open(CrosstideConfig.Region region) {
    return new RegionRedis(
        region.name(), uri(region.redis()), client(region.name(), region.redis()));
  }

  /**
   * A connection to the Redis of {@code region}, to be closed by the caller.
   *
   * @throws io.lettuce.core.RedisException if it cannot be reached, or refuses the login
   */
  public StatefulRedisConnection<byte[], byte[]> connect(
      String region, CrosstideConfig.Redis redis) {
    return client(region, redis).connect(ByteArrayCodec.INSTANCE, uri(redis));
  }

  private RedisClient client(String region, CrosstideConfig.Redis redis) {
    return clients.computeIfAbsent(region, name -> client(redis.tls()));
  }

  private RedisClient client(CrosstideConfig.Tls tls) {
    RedisClient client = RedisClient.create(resources);
    client.setOptions(options.mutate().sslOptions(ssl(tls)).build());
    return client;
  }

  private static SslOptions ssl(CrosstideConfig.Tls tls) {
    SslOptions.Builder options = SslOptions.builder();
    Path caFile = tls.caFile();
    if (caFile != null) {
      options.trustManager(caFile.toFile());
    }
    Path certFile = tls.certFile();
    Path keyFile = tls.keyFile();
    if (certFile != null && keyFile != null) {
      File certificate = certFile.toFile();
      options.keyManager(certificate, keyFile.toFile(), new char[0]);
    }
    return options.build();
  }

  private static RedisURI uri(CrosstideConfig.Redis redis) {
    RedisURI.Builder builder =
        RedisURI.builder()
            .withHost(redis.uri().getHost())
            .withPort(redis.port())
            .withSsl(redis.isEncrypted())
            .withTimeout(TIMEOUT);
    Secret password = redis.password();
    if (password != null) {
      char[] revealed = password.reveal().toCharArray();
      if (redis.user() == null) {
        builder.withPassword(revealed);
      } else {
        builder.withAuthentication(redis.user(), revealed);
      }
    }
    return builder.build();
  }

  @Override
  public void close() {
    clients.values().forEach(client -> client.shutdown(Duration.ZERO, Duration.ofSeconds(2)));
    resources.shutdown(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
  }
}
