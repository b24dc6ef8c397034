package io.crosstide.sandbox.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedisVersionTest {
  @Test
  void readsRedisAndValkey() {
    assertThat(
            RedisVersion.parse(
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"))
        .contains(new RedisVersion("redis", 7, 0));
    assertThat(RedisVersion.parse("Valkey server v=8.1.0 sha=00000000:0 malloc=jemalloc"))
        .contains(new RedisVersion("valkey", 8, 1));
  }

  @Test
  void isEmptyForOtherPrograms() {
    assertThat(RedisVersion.parse("nginx version: nginx/1.22")).isEmpty();
    assertThat(RedisVersion.parse("")).isEmpty();
  }

  @Test
  void supportsFrom62() {
    assertThat(new RedisVersion("redis", 6, 2).isSupported()).isTrue();
    assertThat(new RedisVersion("redis", 6, 0).isSupported()).isFalse();
    assertThat(new RedisVersion("redis", 5, 9).isSupported()).isFalse();
    assertThat(new RedisVersion("valkey", 7, 2).isSupported()).isTrue();
    assertThat(new RedisVersion("redis", 10, 0).isSupported()).isTrue();
  }
}
