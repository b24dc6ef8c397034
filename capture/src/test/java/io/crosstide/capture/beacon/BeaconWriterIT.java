package io.crosstide.capture.beacon;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The beacon in real servers: the one on PATH and 6.2. */
class BeaconWriterIT {
  private static final long CLOCK = 1_000_000;

  @TempDir Path dir;

  @Test
  void aClockSetBackDoesNotSetTheBeaconBack() {
    goesOnAbove(RedisBinary.find(null, dir.resolve("bin")));
  }

  @Test
  void norOnRedis62() {
    goesOnAbove(RedisBinary.embedded(dir.resolve("bin")));
  }

  /** A process before this one has written {@code CLOCK + 500}; nobody here knows of it. */
  private void goesOnAbove(RedisBinary binary) {
    try (RedisProcess redis =
        new RedisProcess(new RedisConfig(binary, dir.resolve("redis"), Ports.free(), false))) {
      redis.start();
      redis.awaitReady(Duration.ofSeconds(20));
      String uri = "redis://127.0.0.1:" + redis.port();
      RedisClient client = RedisClient.create(uri);
      AtomicLong asked = new AtomicLong();
      try (BeaconWriter beacon =
          new BeaconWriter(
              RedisEndpoint.parse(uri),
              () -> {
                asked.incrementAndGet();
                return CLOCK;
              })) {
        RedisCommands<String, String> commands = client.connect().sync();
        commands.set(BeaconWriter.KEY, Long.toString(CLOCK + 500));
        beacon.start();
        Awaitility.await("some beacons").until(() -> asked.get() > 5);
        assertThat(beacon.trouble()).isNull();
        assertThat(commands.get(BeaconWriter.KEY)).isEqualTo(Long.toString(CLOCK + 500));
        beacon.notBefore(CLOCK + 600);
        Awaitility.await("a beacon known from elsewhere")
            .until(() -> commands.get(BeaconWriter.KEY).equals(Long.toString(CLOCK + 600)));
      } finally {
        client.shutdown();
      }
    }
  }

  @Test
  void aBeaconIsWrittenWhereThereIsNoneOrAnotherValue() {
    RedisBinary binary = RedisBinary.find(null, dir.resolve("bin"));
    try (RedisProcess redis =
        new RedisProcess(new RedisConfig(binary, dir.resolve("redis"), Ports.free(), false))) {
      redis.start();
      redis.awaitReady(Duration.ofSeconds(20));
      String uri = "redis://127.0.0.1:" + redis.port();
      RedisClient client = RedisClient.create(uri);
      RedisCommands<String, String> commands = client.connect().sync();
      try {
        writes(uri, commands);
        commands.set(BeaconWriter.KEY, "no time");
        writes(uri, commands);
        commands.del(BeaconWriter.KEY);
        commands.sadd(BeaconWriter.KEY, "member");
        writes(uri, commands);
      } finally {
        client.shutdown();
      }
    }
  }

  private static void writes(String uri, RedisCommands<String, String> commands) {
    try (BeaconWriter beacon = new BeaconWriter(RedisEndpoint.parse(uri), () -> CLOCK)) {
      beacon.start();
      Awaitility.await("a beacon")
          .until(
              () ->
                  commands.type(BeaconWriter.KEY).equals("string")
                      && commands.get(BeaconWriter.KEY).equals(Long.toString(CLOCK)));
    }
  }
}
