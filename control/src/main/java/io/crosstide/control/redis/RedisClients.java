package io.crosstide.control.redis;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Read-only connections to every region's Redis: own trust for each, threads for all together. */
public final class RedisClients implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ClientResources resources = DefaultClientResources.create();
  private final Map<String, RedisClient> clients = new ConcurrentHashMap<>();

  /** The region's Redis; connected at first use, to be closed by the caller. */
  public RegionRedis open(CrosstideConfig.Region region) {
    RedisClient client =
        clients.computeIfAbsent(region.name(), name -> client(region.redis().tls()));
    return new RegionRedis(region.name(), uri(region.redis()), client);
  }

  private RedisClient client(CrosstideConfig.Tls tls) {
    RedisClient client = RedisClient.create(resources);
    client.setOptions(RegionRedis.clientOptions().mutate().sslOptions(ssl(tls)).build());
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
