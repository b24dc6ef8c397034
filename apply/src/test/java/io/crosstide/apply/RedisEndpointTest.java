package io.crosstide.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RedisEndpointTest {
  @Test
  void anAddressIsReadWithAndWithoutCredentials() {
    assertThat(RedisEndpoint.parse("redis://localhost"))
        .isEqualTo(RedisEndpoint.of("localhost", 6379));
    assertThat(RedisEndpoint.parse("redis://h:7001")).isEqualTo(RedisEndpoint.of("h", 7001));
    RedisEndpoint full = RedisEndpoint.parse("rediss://user:secret@h:7002");
    assertThat(full)
        .isEqualTo(new RedisEndpoint("h", 7002, "user", "secret", true, null, null, null, true));
    assertThat(RedisEndpoint.parse("redis://:secret@h").password()).isEqualTo("secret");
    assertThat(RedisEndpoint.parse("redis://:secret@h").username()).isNull();
  }

  @Test
  void thePasswordIsNeverShown() {
    assertThat(RedisEndpoint.parse("rediss://user:secret@h:7002")).hasToString("rediss://h:7002");
    assertThat(ApplyConfig.of("r", RedisEndpoint.parse("redis://user:secret@h:7002")).toString())
        .doesNotContain("secret");
    assertThatThrownBy(() -> RedisEndpoint.parse("http://user:secret@h"))
        .isInstanceOf(IllegalArgumentException.class)
        .satisfies(e -> assertThat("" + e.getMessage() + e.getCause()).doesNotContain("secret"));
  }

  @Test
  void mistakesAreNamed() {
    for (String wrong :
        new String[] {"localhost", "redis://", "redis://h/3", "redis-sentinel://h"}) {
      assertThatThrownBy(() -> RedisEndpoint.parse(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the address of a Redis is");
    }
    assertThatThrownBy(() -> RedisEndpoint.of("h", 70000)).hasMessageContaining("70000");
    assertThatThrownBy(() -> new RedisEndpoint("h", 1, "u", null, false, null, null, null, true))
        .hasMessageContaining("no password");
  }
}
