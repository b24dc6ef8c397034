package io.crosstide.control.redis;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import io.lettuce.core.RedisURI;
import java.time.Duration;

/** Connection settings of a configured Redis, for Lettuce. */
public final class RedisUris {
  private static final int PORT_DEFAULT = 6379;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private RedisUris() {}

  /** Address and authentication of {@code redis}, database 0. */
  public static RedisURI of(CrosstideConfig.Redis redis) {
    int port = redis.uri().getPort();
    RedisURI.Builder builder =
        RedisURI.builder()
            .withHost(redis.uri().getHost())
            .withPort(port < 0 ? PORT_DEFAULT : port)
            .withSsl("rediss".equals(redis.uri().getScheme()))
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
}
