package io.crosstide.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisException;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Redis that comes back empty, or as it was some time ago, while all else goes on (P8). */
class RedisLossIT {
  private static final int KEYS = 300;
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path directory;
  @TempDir Path backup;

  @Test
  void aRedisThatComesBackEmptyIsRefilledAndEmptiesNobody() throws InterruptedException {
    try (SystemRig rig = SystemRig.start(directory, 2)) {
      fill(rig.region(1).redis(), "one");
      fill(rig.region(2).redis(), "two");
      rig.settle();
      Counting counting = new Counting(rig.region(2));
      await().atMost(SOON).until(() -> counting.count() > 200);

      Path data = dataOf(rig.region(1));
      rig.killAndRestartRedis(rig.region(1), () -> delete(data));
      RedisCommands<String, String> back = rig.region(1).redis();
      for (int i = 0; i < KEYS; i++) {
        back.incr("n:one:" + i); // which may not be back yet
        back.sadd("written:since", "" + i);
      }
      counting.stop();
      rig.settle();

      for (RegionClient region : rig.regions()) {
        RedisCommands<String, String> redis = region.redis();
        assertThat(redis.scard("written:since")).isEqualTo(KEYS);
        assertThat(redis.get("count:two")).isEqualTo(Long.toString(counting.count()));
        for (int i = 0; i < KEYS; i++) {
          assertThat(redis.get("n:one:" + i)).as("counter %d", i).isEqualTo("" + (i + 1));
          assertThat(redis.get("n:two:" + i)).as("counter %d", i).isEqualTo("" + i);
        }
        checkFilled(redis, "one");
        checkFilled(redis, "two");
      }
    }
  }

  @Test
  void aRedisThatComesBackOlderGetsBackWhatItLacksAndBringsNothingBack() {
    try (SystemRig rig = SystemRig.start(directory, 2)) {
      fill(rig.region(1).redis(), "one");
      fill(rig.region(2).redis(), "two");
      rig.settle();
      Path data = dataOf(rig.region(1));
      Path older = backup.resolve("older");
      copy(data, older);
      RedisCommands<String, String> redis = rig.region(1).redis();
      for (int i = 0; i < KEYS; i += 2) {
        redis.del("s:one:" + i);
        rig.region(2).redis().del("s:two:" + i);
        redis.incrby("n:one:" + i, 1000);
        redis.set("s:one:" + (i + 1), "later");
        redis.hset("h:one", "later" + i, "v");
      }
      redis.sadd("new", "a", "b");
      rig.settle();
      Map<String, String> before = strings(rig.region(2).redis());

      rig.killAndRestartRedis(
          rig.region(1),
          () -> {
            delete(data);
            copy(older, data);
          });
      rig.settle();

      for (RegionClient region : rig.regions()) {
        assertThat(strings(region.redis())).isEqualTo(before);
        assertThat(region.redis().smembers("new")).containsExactlyInAnyOrder("a", "b");
        assertThat(region.redis().hget("h:one", "later0")).isEqualTo("v");
      }
    }
  }

  private static void fill(RedisCommands<String, String> redis, String name) {
    for (int i = 0; i < KEYS; i++) {
      redis.set("s:" + name + ":" + i, "value " + i + "x".repeat(i));
      redis.set("n:" + name + ":" + i, Integer.toString(i));
      redis.hset("h:" + name, "f" + i, "v" + i);
      redis.sadd("m:" + name, "m" + i);
      redis.zadd("z:" + name, i + 0.5, "m" + i);
    }
    redis.set("expires:" + name, "v", SetArgs.Builder.ex(3_000));
  }

  private static void checkFilled(RedisCommands<String, String> redis, String name) {
    assertThat(redis.get("s:" + name + ":299")).isEqualTo("value 299" + "x".repeat(299));
    assertThat(redis.hlen("h:" + name)).isEqualTo(KEYS);
    assertThat(redis.hget("h:" + name, "f7")).isEqualTo("v7");
    assertThat(redis.scard("m:" + name)).isEqualTo(KEYS);
    assertThat(redis.zscore("z:" + name, "m9")).isEqualTo(9.5);
    assertThat(redis.ttl("expires:" + name)).isBetween(1L, 3_000L);
  }

  private static Map<String, String> strings(RedisCommands<String, String> redis) {
    Map<String, String> strings = new TreeMap<>();
    for (String pattern : List.of("s:*", "n:*")) {
      for (String key : redis.keys(pattern)) {
        strings.put(key, redis.get(key));
      }
    }
    return strings;
  }

  private static Path dataOf(RegionClient region) {
    return Objects.requireNonNull(Path.of(region.server().configFile()).getParent());
  }

  private static void copy(Path from, Path to) {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).filter(RedisLossIT::isData).toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path data) {
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file :
          files.sorted(Comparator.reverseOrder()).filter(RedisLossIT::isData).toList()) {
        if (Files.isRegularFile(file)) {
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isData(Path file) {
    return file.toString().contains("appendonly");
  }

  /** A client of another region, which must notice nothing. */
  private static final class Counting {
    private final AtomicLong count = new AtomicLong();
    private final Thread thread;
    private volatile boolean stopped;

    Counting(RegionClient region) {
      StatefulRedisConnection<String, String> connection = region.connection();
      thread =
          new Thread(
              () -> {
                try (connection) {
                  while (!stopped) {
                    count.set(connection.sync().incr("count:two"));
                  }
                } catch (RedisException e) {
                  throw new IllegalStateException("the other region's Redis is to go on", e);
                }
              },
              "counting");
      thread.start();
    }

    long count() {
      return count.get();
    }

    void stop() throws InterruptedException {
      stopped = true;
      thread.join();
    }
  }
}
