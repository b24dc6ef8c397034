package io.crosstide.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.crosstide.apply.ApplyConfig;
import io.crosstide.apply.RedisEndpoint;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One region's streams role on a real broker and a real Redis, with hand-made logs. */
class StreamsRoleIT {
  private static final int PARTITIONS = 4;

  @TempDir static Path brokerDirectory;
  private static EmbeddedBroker broker;
  private static int counter;

  @TempDir Path directory;
  private final InMemorySchemaRegistry registry = new InMemorySchemaRegistry();
  private final Map<String, Integer> regions = regions();
  private RedisProcess redis;
  private RedisClient client;
  private RedisCommands<String, String> commands;
  private LogWriter local;
  private LogWriter b;
  private LogWriter c;
  private MarkerWatcher capture;
  private StreamsRole role;

  /** Every test has logs of its own. */
  private static Map<String, Integer> regions() {
    counter++;
    return Map.of("a" + counter, 1, "b" + counter, 2, "c" + counter, 3);
  }

  private static String name(Map<String, Integer> regions, int id) {
    return regions.entrySet().stream()
        .filter(region -> region.getValue() == id)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  @BeforeAll
  static void startBroker() {
    broker = EmbeddedBroker.startOnFreePorts(1, brokerDirectory);
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  @BeforeEach
  void start() {
    redis = RedisProcess.startOnFreePort(directory.resolve("redis"));
    client = RedisClient.create(redis.uri());
    commands = client.connect().sync();
    local = writer(1);
    b = writer(2);
    c = writer(3);
    role = newRole();
    role.start();
    await().atMost(Duration.ofSeconds(30)).until(() -> role.state() == StreamsState.RUNNING);
    capture = new MarkerWatcher(redis.uri(), local, PARTITIONS).lostAtFirst().start();
  }

  private LogWriter writer(int id) {
    return new LogWriter(name(regions, id), id, broker.bootstrapLan(), PARTITIONS, registry);
  }

  private StreamsRole newRole() {
    return new StreamsRole(
        StreamsRoleConfig.of(
            name(regions, 1),
            regions,
            broker.bootstrapLan(),
            ApplyConfig.of(name(regions, 1), RedisEndpoint.of("127.0.0.1", redis.port())),
            PARTITIONS,
            directory.resolve("state")),
        registry,
        new SimpleMeterRegistry(),
        Clock.systemUTC());
  }

  @AfterEach
  void stop() {
    role.close();
    capture.close();
    local.close();
    b.close();
    c.close();
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
    redis.close();
  }

  private void awaitSettled() {
    b.flush();
    c.flush();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              StreamsStats stats = role.stats();
              assertThat(stats.isSettled(PARTITIONS)).as("%s", stats).isTrue();
            });
  }

  @Test
  void eventsOfTwoOriginsConvergeInRedis() {
    b.write("string", new Change.StringSet(Bytes.utf8("from b"), 0, false));
    c.write("string", new Change.StringSet(Bytes.utf8("from c, later"), 0, false));
    b.write("counter", new Change.StringAdd(BigDecimal.valueOf(7), null));
    c.write("counter", new Change.StringAdd(BigDecimal.valueOf(3), null));
    b.write("hash", new Change.HashPut(Bytes.utf8("f1"), Bytes.utf8("x")));
    c.write("hash", new Change.HashPut(Bytes.utf8("f2"), Bytes.utf8("y")));
    b.write("set", new Change.SetAdd(Bytes.utf8("one")));
    c.write("set", new Change.SetAdd(Bytes.utf8("two")));
    b.write("zset", new Change.ZsetPut(Bytes.utf8("m"), 1.5));
    b.write(
        RedisKey.of(3, "in-db-3"),
        new Change.StringSet(Bytes.utf8("v"), 0, false),
        VersionVector.EMPTY);
    awaitApplied();

    assertThat(commands.get("string")).isEqualTo("from c, later");
    assertThat(commands.get("counter")).isEqualTo("10");
    assertThat(commands.hgetall("hash")).isEqualTo(Map.of("f1", "x", "f2", "y"));
    assertThat(commands.smembers("set")).containsExactlyInAnyOrder("one", "two");
    assertThat(commands.zscore("zset", "m")).isEqualTo(1.5);
    commands.select(3);
    assertThat(commands.get("in-db-3")).isEqualTo("v");
    commands.select(0);
    for (int partition = 0; partition < PARTITIONS; partition++) {
      assertThat(Objects.requireNonNull(MarkerWatcher.marker(commands, partition)).context())
          .isEqualTo(without(role.stats().partitions().get(partition).merged(), Origin.of(1)));
    }
  }

  private static VersionVector without(VersionVector vector, Origin origin) {
    return vector.with(origin, 0);
  }

  private void awaitApplied() {
    b.flush();
    c.flush();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(role.stats().counts().events()).isEqualTo(10));
    awaitSettled();
  }
}
