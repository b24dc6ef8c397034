package io.crosstide.capture.beacon;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.lettuce.core.KillArgs;
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
    try (RedisProcess redis = start(binary)) {
      String uri = redis.uri();
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
    try (RedisProcess redis = start(binary)) {
      String uri = redis.uri();
      RedisClient client = RedisClient.create(uri);
      RedisCommands<String, String> commands = client.connect().sync();
      try {
        writes(uri, commands);
        commands.set(BeaconWriter.KEY, "no time");
        writes(uri, commands);
        commands.set(BeaconWriter.KEY, "longer than any time ".repeat(10));
        writes(uri, commands);
        commands.del(BeaconWriter.KEY);
        commands.sadd(BeaconWriter.KEY, "member");
        writes(uri, commands);
      } finally {
        client.shutdown();
      }
    }
  }

  @Test
  void everyConnectionBeginsByAskingForTheBeaconThatStands() {
    try (RedisProcess redis = start(RedisBinary.find(null, dir.resolve("bin")))) {
      RedisClient client = RedisClient.create(redis.uri());
      RedisCommands<String, String> commands = client.connect().sync();
      AtomicLong asked = new AtomicLong();
      try (BeaconWriter beacon =
          new BeaconWriter(
              RedisEndpoint.parse(redis.uri()),
              () -> {
                asked.incrementAndGet();
                return CLOCK;
              })) {
        beacon.start();
        Awaitility.await("a beacon").until(() -> commands.exists(BeaconWriter.KEY) == 1);
        // As after a fail-over to a Redis that another process, whose clock is ahead, has written.
        commands.multi();
        commands.clientKill(KillArgs.Builder.typeNormal().skipme());
        commands.set(BeaconWriter.KEY, Long.toString(CLOCK + 500));
        commands.exec();
        long before = asked.get();
        Awaitility.await("some beacons").until(() -> asked.get() > before + 5);
        assertThat(beacon.trouble()).isNull();
        assertThat(commands.get(BeaconWriter.KEY)).isEqualTo(Long.toString(CLOCK + 500));
      } finally {
        client.shutdown();
      }
    }
  }

  @Test
  void whatRedisRefusesIsToldUntilItPasses() {
    try (RedisProcess redis = start(RedisBinary.find(null, dir.resolve("bin")))) {
      RedisClient client = RedisClient.create(redis.uri());
      RedisCommands<String, String> commands = client.connect().sync();
      commands.configSet("maxmemory", "1");
      try (BeaconWriter beacon = new BeaconWriter(RedisEndpoint.parse(redis.uri()), () -> CLOCK)) {
        beacon.start();
        Awaitility.await("a refusal").until(() -> String.valueOf(beacon.trouble()).contains("OOM"));
        assertThat(commands.exists(BeaconWriter.KEY)).isZero();
        commands.configSet("maxmemory", "0");
        Awaitility.await("a beacon").until(() -> beacon.trouble() == null);
        assertThat(commands.get(BeaconWriter.KEY)).isEqualTo(Long.toString(CLOCK));
      } finally {
        client.shutdown();
      }
    }
  }

  private RedisProcess start(RedisBinary binary) {
    RedisProcess redis =
        new RedisProcess(new RedisConfig(binary, dir.resolve("redis"), Ports.free(), false));
    redis.start();
    redis.awaitReady(Duration.ofSeconds(20));
    return redis;
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
