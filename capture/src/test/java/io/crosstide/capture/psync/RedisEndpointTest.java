package io.crosstide.capture.psync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class RedisEndpointTest {
  @Test
  void allPartsAreRead() {
    assertThat(RedisEndpoint.parse("rediss://app:p%40ss+word@redis.example:7101"))
        .isEqualTo(new RedisEndpoint("redis.example", 7101, "app", "p@ss+word", true));
    assertThat(RedisEndpoint.parse("redis://:secret@h"))
        .isEqualTo(new RedisEndpoint("h", 6379, null, "secret", false));
    assertThat(RedisEndpoint.parse("redis://h:1"))
        .isEqualTo(new RedisEndpoint("h", 1, null, null, false));
  }

  @Test
  void theTextFormHidesThePassword() {
    assertThat(RedisEndpoint.parse("redis://app:secret@h:1").toString()).isEqualTo("redis://h:1");
  }

  @Test
  void mistakesAreToldWithoutRepeatingTheAddress() {
    for (String wrong :
        new String[] {"http://h:1", "redis:///x", "h:1", "redis://user:secret@ h"}) {
      assertThatThrownBy(() -> RedisEndpoint.parse(wrong))
          .hasMessageContaining("redis://[[user]:password@]host[:port]")
          .hasMessageNotContaining("secret");
    }
  }
}
