package io.crosstide.apply;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedisRefusalTest {
  private static final String OF_6_2 =
      "ERR Error running script (call to f_5c0f): @user_script:57: @user_script: 57: -OOM command"
          + " not allowed when used memory > 'maxmemory'.";

  @Test
  void theCodeIsFoundInFrontAndInsideAScriptsError() {
    assertThat(RedisRefusal.code("OOM command not allowed")).isEqualTo("OOM");
    assertThat(RedisRefusal.code("BUSY Redis is busy running a script.")).isEqualTo("BUSY");
    assertThat(RedisRefusal.code(OF_6_2)).isEqualTo("OOM");
    assertThat(RedisRefusal.code("BUSYKEY Target key name already exists.")).isEqualTo("ERR");
    assertThat(RedisRefusal.code("ERR unknown command")).isEqualTo("ERR");
    assertThat(RedisRefusal.code("")).isEqualTo("ERR");
  }

  @Test
  void theNormalFormBeginsWithTheCode() {
    assertThat(RedisRefusal.normalise(OF_6_2))
        .isEqualTo("OOM command not allowed when used memory > 'maxmemory'.");
    assertThat(RedisRefusal.normalise("LOADING Redis is loading"))
        .isEqualTo("LOADING Redis is loading");
    assertThat(RedisRefusal.normalise("something else")).isEqualTo("ERR something else");
  }
}
