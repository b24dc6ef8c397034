package io.crosstide.control.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.control.redis.KeyImage;
import io.crosstide.control.redis.RedisInfo;
import io.crosstide.control.redis.RegionRedis;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.sandbox.redis.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two real Redis servers; logs, capture and merged state are what the test says they are. */
class VerificationIT {
  private static final Duration SHORT = Duration.ofMillis(700);
  private static final int PARTITIONS = 2;

  @TempDir Path directory;
  private final RedisClient client = RedisClient.create();
  private final List<FakeRegion> regions = new ArrayList<>();

  @BeforeEach
  void start() {
    regions.add(new FakeRegion("us-east", 1));
    regions.add(new FakeRegion("eu-west", 2));
    for (FakeRegion region : regions) {
      for (int partition = 0; partition < PARTITIONS; partition++) {
        region.mark(partition, VersionVector.EMPTY, 0);
      }
    }
  }

  @AfterEach
  void stop() {
    regions.forEach(FakeRegion::stop);
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
  }

  @Test
  void equalRegionsAreEqual() throws Exception {
    onBoth("SET");

    Verdict verdict = verify(Duration.ofSeconds(10));

    assertThat(verdict.result()).as(verdict.sentence()).isEqualTo(Verdict.Result.EQUAL);
    assertThat(verdict.keys()).isEqualTo(1_000);
  }

  @Test
  void plantedDifferencesAreFoundAndNamed() throws Exception {
    onBoth("SET");
    regions.get(0).commands.set("k1", "other");
    regions.get(0).commands.del("k2");
    regions.get(0).commands.del("k3");
    regions.get(0).commands.sadd("k3", "v");
    regions.get(1).commands.pexpireat("k4", 4_000_000_000_000L);
    regions.get(1).commands.select(3);
    regions.get(1).commands.set("only", "here");

    Verdict verdict = verify(Duration.ofSeconds(20));

    assertThat(verdict.result()).as(verdict.sentence()).isEqualTo(Verdict.Result.DIFFERENT);
    assertThat(verdict.sentence()).isEqualTo("5 of 1001 keys differ");
    assertThat(verdict.differences())
        .extracting(difference -> difference.key() + " " + difference.what())
        .containsExactlyInAnyOrder(
            "k1 value", "k2 presence", "k3 type", "k4 deadline", "3/only presence");
  }

  @Test
  void mergedStateThatDisagreesWithItsRedisIsADifference() throws Exception {
    onBoth("SET");
    for (int i = 0; i < 1_000; i++) {
      regions.get(1).merged.put(RedisKey.of(0, "k" + i), image(i == 1 ? "else" : "SET"));
    }

    Verdict verdict = verify(Duration.ofSeconds(10));

    assertThat(verdict.result()).isEqualTo(Verdict.Result.DIFFERENT);
    assertThat(verdict.differences())
        .singleElement()
        .satisfies(
            difference ->
                assertThat(difference.images())
                    .containsKeys("redis us-east", "redis eu-west", "merged eu-west"));
  }

  @Test
  void whatIsNotAppliedYetIsAwaited() throws Exception {
    regions.get(0).ends.set(1, VersionVector.of(Origin.of(1), 5));

    Verdict verdict = verify(SHORT);
    assertThat(verdict.result()).isEqualTo(Verdict.Result.COULD_NOT_TELL);
    assertThat(verdict.sentence())
        .contains("Redis of eu-west has not received {1.0.0:5} in partition 1");

    regions.get(1).mark(1, VersionVector.of(Origin.of(1), 5), 0);
    assertThat(verify(Duration.ofSeconds(10)).result()).isEqualTo(Verdict.Result.EQUAL);
  }

  @Test
  void missedEffectsAndUncapturedWritesAreAwaited() throws Exception {
    regions.get(1).mark(0, VersionVector.EMPTY, 2);
    assertThat(verify(SHORT).sentence())
        .contains("Redis of eu-west has 2 elements in partition 0 whose last effects missed");
    regions.get(1).mark(0, VersionVector.EMPTY, 0);

    regions.get(0).captureLagBytes = 7;
    assertThat(verify(SHORT).sentence()).contains("capture of us-east is 7 bytes behind");
  }

  @Test
  void differencesThatAreBeingWrittenCountAsNothing() throws Exception {
    onBoth("SET");
    regions.get(0).commands.set("k1", "other");
    regions.get(0).growing = true;

    Verdict verdict = verify(Duration.ofSeconds(2));

    assertThat(verdict.result()).isEqualTo(Verdict.Result.COULD_NOT_TELL);
    assertThat(verdict.sentence()).contains("1 keys differed whenever they were looked at");
  }

  @Test
  void redisThatIsAwayIsNoDifference() throws Exception {
    regions.get(1).process.stop();

    Verdict verdict = verify(SHORT);

    assertThat(verdict.result()).isEqualTo(Verdict.Result.COULD_NOT_TELL);
    assertThat(verdict.sentence()).contains("Redis of eu-west");
  }

  private Verdict verify(Duration timeout) throws InterruptedException {
    return new Verification(
            List.copyOf(regions), PARTITIONS, Clock.systemUTC(), timeout, sentence -> {})
        .run();
  }

  private static KeyImage image(String value) {
    KeyImage.Builder builder = new KeyImage.Builder();
    builder.add(Bytes.EMPTY, Content.utf8(value));
    return builder.image("string", 0);
  }

  private void onBoth(String value) {
    for (FakeRegion region : regions) {
      for (int i = 0; i < 1_000; i++) {
        region.commands.set("k" + i, value);
      }
    }
  }

  /** A real Redis with the rest of its region made up. */
  private final class FakeRegion implements VerifiedRegion {
    final String name;
    final RedisProcess process;
    final RegionRedis redis;
    final StatefulRedisConnection<String, String> connection;
    final RedisCommands<String, String> commands;
    final List<VersionVector> ends = new ArrayList<>();
    final Map<RedisKey, KeyImage> merged = new HashMap<>();
    final int id;
    long captureLagBytes;
    boolean growing;

    FakeRegion(String name, int id) {
      this.name = name;
      this.id = id;
      process = RedisProcess.startOnFreePort(directory.resolve(name));
      RedisURI uri = RedisURI.create(process.uri());
      redis = new RegionRedis(name, uri, client);
      connection = client.connect(uri);
      commands = connection.sync();
      for (int partition = 0; partition < PARTITIONS; partition++) {
        ends.add(VersionVector.EMPTY);
      }
    }

    void mark(int partition, VersionVector context, int exceptions) {
      commands.hset(
          MarkerState.key(partition),
          Map.of("e", "1", "f", "1:1", "c", context.encode(), "k", String.valueOf(exceptions)));
    }

    void stop() {
      connection.close();
      redis.close();
      process.close();
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public RegionRedis redis() {
      return redis;
    }

    @Override
    public List<VersionVector> logEnds() {
      if (growing) {
        // Only control events may stand where markers need not follow: seqs of the own log.
        Origin own = Origin.of(id);
        ends.set(0, ends.get(0).with(own, ends.get(0).get(own) + 1));
        regions.stream()
            .filter(other -> other != this)
            .forEach(other -> other.mark(0, ends.get(0), 0));
      }
      return List.copyOf(ends);
    }

    @Override
    public OptionalLong capturedOffset() throws IOException {
      return OptionalLong.of(
          RedisInfo.of(redis, "replication").number("master_repl_offset") - captureLagBytes);
    }

    @Override
    public @Nullable MergedImages merged() {
      return merged.isEmpty() ? null : new FakeMerged(merged);
    }

    @Override
    public void close() {}
  }

  /** Merged state that has processed everything and holds a few keys. */
  private record FakeMerged(Map<RedisKey, KeyImage> keys) implements MergedImages {
    @Override
    public VersionVector position(int partition) {
      return VersionVector.of(Origin.of(1), Long.MAX_VALUE).with(Origin.of(2), Long.MAX_VALUE);
    }

    @Override
    public void images(int partition, Consumer consumer) {
      keys.forEach(consumer::accept);
    }

    @Override
    public KeyImage image(RedisKey key) {
      return keys.getOrDefault(key, KeyImage.ABSENT);
    }
  }
}
