package io.crosstide.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.sandbox.redis.RedisVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SandboxSettingsTest {
  private static final InfrastructureConfig CONFIG =
      new InfrastructureConfig(
          List.of(
              new InfrastructureConfig.Region("a", 1, 0),
              new InfrastructureConfig.Region("b", 2, 0)),
          null,
          4,
          Duration.ZERO,
          null);
  @TempDir Path dir;

  @Test
  void portsAreDistinctAndStayTheSame() {
    Set<Integer> ports = new HashSet<>();
    try (SandboxDirectory directory = SandboxDirectory.open(dir)) {
      SandboxSettings first = SandboxSettings.open(directory, CONFIG);
      assertThat(first.continued()).isFalse();
      for (int i = 0; i < 50; i++) {
        assertThat(ports.add(first.port("purpose" + i))).isTrue();
      }
      int again = first.port("purpose7");
      first.store();
      SandboxSettings second = SandboxSettings.open(directory, CONFIG);
      assertThat(second.continued()).isTrue();
      assertThat(second.port("purpose7")).isEqualTo(again);
    }
  }

  @Test
  void aDamagedPortIsChosenAnew() throws Exception {
    Files.writeString(dir.resolve("sandbox.properties"), "port.x=nonsense\nport.y=99999\n");
    try (SandboxDirectory directory = SandboxDirectory.open(dir)) {
      SandboxSettings settings = SandboxSettings.open(directory, CONFIG);
      assertThat(settings.port("x")).isBetween(1, 65_535);
      assertThat(settings.port("y")).isBetween(1, 65_535);
    }
  }

  @Test
  void refusesOtherPartitionsThanTheDataWereMadeWith() {
    try (SandboxDirectory directory = SandboxDirectory.open(dir)) {
      SandboxSettings.open(directory, CONFIG).store();
      InfrastructureConfig more =
          new InfrastructureConfig(CONFIG.regions(), null, 8, Duration.ZERO, null);
      assertThatThrownBy(() -> SandboxSettings.open(directory, more))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("made with --partitions 4, not 8");
    }
  }

  @Test
  void refusesAnOlderRedisThanTheDataWereMadeWith() {
    try (SandboxDirectory directory = SandboxDirectory.open(dir)) {
      SandboxSettings settings = SandboxSettings.open(directory, CONFIG);
      settings.redisVersion(directory, new RedisVersion("redis", 7, 0));
      settings.redisVersion(directory, new RedisVersion("valkey", 8, 0));
      assertThatThrownBy(() -> settings.redisVersion(directory, new RedisVersion("redis", 6, 2)))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("holds data of Redis 8.0")
          .hasMessageContaining("--redis-server");
    }
  }
}
