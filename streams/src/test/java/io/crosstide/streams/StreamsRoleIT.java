package io.crosstide.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.crosstide.apply.ApplyConfig;
import io.crosstide.apply.RedisEndpoint;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.KeyInspector;
import io.crosstide.protocol.merge.KeyReport;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.schemas.Partitions;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.crosstide.streams.owner.PartitionStatus;
import io.crosstide.streams.query.KeyExplainer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
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
    RedisBinary binary = RedisBinary.find(null, directory.resolve("bin"));
    redis =
        new RedisProcess(
            new RedisConfig(binary, directory.resolve("redis"), Ports.free(), true)
                .with("appendfsync", "always"));
    redis.start();
    redis.awaitReady(Duration.ofSeconds(20));
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

  private StreamsRoleConfig config() {
    return StreamsRoleConfig.of(
            name(regions, 1),
            regions,
            broker.bootstrapLan(),
            ApplyConfig.of(name(regions, 1), RedisEndpoint.of("127.0.0.1", redis.port())),
            PARTITIONS,
            directory.resolve("state"))
        .withTuning(StreamsTuning.defaults().withBacklog(500, 64 << 20, Duration.ofMillis(1500)));
  }

  private StreamsRole newRole() {
    return newRole(config());
  }

  private StreamsRole newRole(StreamsRoleConfig config) {
    return new StreamsRole(config, registry, new SimpleMeterRegistry(), Clock.systemUTC());
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

  @Test
  void eventsOfTwoOriginsConvergeInRedis() {
    b.write("string", set("from b"));
    c.write("string", set("from c, later"));
    b.write("counter", add(7));
    c.write("counter", add(3));
    b.write("hash", new Change.HashPut(Bytes.utf8("f1"), Bytes.utf8("x")));
    c.write("hash", new Change.HashPut(Bytes.utf8("f2"), Bytes.utf8("y")));
    b.write("set", new Change.SetAdd(Bytes.utf8("one")));
    c.write("set", new Change.SetAdd(Bytes.utf8("two")));
    b.write("zset", new Change.ZsetPut(Bytes.utf8("m"), 1.5));
    b.write(RedisKey.of(3, "in-db-3"), set("v"), VersionVector.EMPTY);
    awaitMerged(10);

    assertThat(commands.get("string")).isEqualTo("from c, later");
    assertThat(commands.get("counter")).isEqualTo("10");
    assertThat(commands.hgetall("hash")).isEqualTo(Map.of("f1", "x", "f2", "y"));
    assertThat(commands.smembers("set")).containsExactlyInAnyOrder("one", "two");
    assertThat(commands.zscore("zset", "m")).isEqualTo(1.5);
    commands.select(3);
    assertThat(commands.get("in-db-3")).isEqualTo("v");
    commands.select(0);
    for (PartitionStatus status : role.stats().partitions()) {
      VersionVector remote = status.merged().with(local.origin(), 0);
      assertThat(status.applied()).isEqualTo(remote);
      MarkerState marker = MarkerWatcher.marker(commands, status.partition());
      assertThat(marker).isNotNull();
      assertThat(Objects.requireNonNull(marker).context()).isEqualTo(remote);
    }
  }

  @Test
  void eachWriteOfALongValueIsOneEffect() {
    for (int i = 0; i < 500; i++) {
      b.write("long-" + i % 50, set("x".repeat(200) + i));
    }
    awaitMerged(500);
    assertThat(commands.get("long-7")).isEqualTo("x".repeat(200) + 457);
    assertThat(role.stats().counts().effects()).isEqualTo(500);
    assertThat(role.stats().counts().misses()).isZero();
  }

  @Test
  void killedAgainAndAgainUnderLoadCountersStayExact() throws Exception {
    role.close();
    RoleProcess process = RoleProcess.start(config(), directory.resolve("role.log"));
    int rounds = 3;
    int perRound = 5000;
    for (int round = 1; round <= rounds; round++) {
      for (int i = 0; i < perRound; i++) {
        b.write("counter-" + i % 10, add(1));
        c.write("counter-" + i % 10, add(10));
        c.write("key-" + i, set("x".repeat(100) + round));
      }
      b.flush();
      c.flush();
      // Somewhere in the middle of it, whatever is in flight.
      int applied = (round - 1) * perRound / 10 * 11;
      await()
          .atMost(Duration.ofSeconds(90))
          .until(() -> sum(commands.get("counter-3")) > applied + 500);
      process.kill9();
      process = RoleProcess.start(config(), directory.resolve("role.log"));
    }
    String expected = Integer.toString(rounds * perRound / 10 * 11);
    try {
      await()
          .atMost(Duration.ofMinutes(2))
          .untilAsserted(
              () -> {
                for (int k = 0; k < 10; k++) {
                  assertThat(commands.get("counter-" + k)).isEqualTo(expected);
                }
                assertThat(commands.get("key-4999")).isEqualTo("x".repeat(100) + rounds);
              });
    } finally {
      process.kill9();
    }
    role = newRole();
    role.start();
    awaitPositions(3L * rounds * perRound);
    for (int k = 0; k < 10; k++) {
      assertThat(commands.get("counter-" + k)).isEqualTo(expected);
    }
  }

  private static long sum(@Nullable String value) {
    return value == null ? 0 : Long.parseLong(value);
  }

  @Test
  void goesOnWhenRedisComesBackWithItsData() {
    b.write("before", set("1"));
    awaitMerged(1);
    redis.kill9();
    for (int i = 0; i < 3000; i++) {
      b.write("counter", add(1));
      c.write("key-" + i, set("v" + i));
    }
    b.flush();
    c.flush();
    // The backlog is small in this test, so the owners come to hold records on disk.
    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> role.stats().counts().stalls() > 0 && role.stats().held() > 1000);
    assertThat(role.state()).isEqualTo(StreamsState.RUNNING);
    redis.start();
    redis.awaitReady(Duration.ofSeconds(20));
    awaitPositions(6001);
    assertThat(commands.get("counter")).isEqualTo("3000");
    assertThat(commands.get("key-2999")).isEqualTo("v2999");
    assertThat(commands.get("before")).isEqualTo("1");
  }

  @Test
  void aMarkerTakenAwayByAClientIsWrittenAgain() {
    b.write("counter", add(5));
    c.write("other", set("x"));
    awaitMerged(2);
    Map<Integer, MarkerState> markers = new HashMap<>();
    for (int partition = 0; partition < PARTITIONS; partition++) {
      markers.put(partition, Objects.requireNonNull(MarkerWatcher.marker(commands, partition)));
    }
    capture.look();
    List<String> names = markers.keySet().stream().map(MarkerState::key).toList();
    commands.del(names.toArray(String[]::new));
    // What capture publishes when it sees that command in the stream.
    markers.forEach(
        (partition, marker) ->
            local.control(
                partition, new Change.MarkerLost(), marker.fx(), marker.context(), Map.of()));
    local.flush();
    b.write("counter", add(2));
    awaitMerged(3);
    assertThat(commands.get("counter")).isEqualTo("7");
    markers.forEach(
        (partition, before) -> {
          MarkerState after = MarkerWatcher.marker(commands, partition);
          assertThat(after).as("marker of partition %s", partition).isNotNull();
          assertThat(Objects.requireNonNull(after).context().dominates(before.context())).isTrue();
        });
  }

  @Test
  void aGapStopsTheRoleBeforeTheRecordAndSaysSo() {
    b.write("k", set("1"));
    awaitMerged(1);
    b.lose("k", 3);
    b.write("k", set("2"));
    b.flush();
    await().atMost(Duration.ofSeconds(30)).until(() -> role.state() == StreamsState.FAILED);
    assertThat(role.detail()).contains("jumps from seq 1 to 5").contains("Re-seed");
    assertThat(commands.get("k")).isEqualTo("1");
  }

  @Test
  void aMalformedRecordStopsTheRoleUnlessItMayBeSkipped() {
    int partition = Partitions.of(Bytes.utf8("k").array(), PARTITIONS);
    b.write("k", set("1"));
    b.sendRaw(partition, Bytes.utf8("k").array(), new byte[] {1, 2, 3});
    b.write("k", set("2"));
    b.flush();
    await().atMost(Duration.ofSeconds(30)).until(() -> role.state() == StreamsState.FAILED);
    assertThat(role.detail())
        .contains("offset 1 of changes." + name(regions, 2) + "-" + partition)
        .contains("schema id");
    role.close();
    role = newRole(config().withSkipMalformed(true));
    role.start();
    await().atMost(Duration.ofMinutes(1)).until(() -> "2".equals(commands.get("k")));
    assertThat(role.stats().counts().malformed()).isEqualTo(1);
  }

  @Test
  void mergedStateCanBeAsked() throws Exception {
    for (int i = 0; i < 300; i++) {
      b.write("string-" + i, set("v" + i));
      c.write("big", new Change.HashPut(Bytes.utf8("f" + i), Bytes.utf8("x".repeat(2000))));
    }
    b.write("k", set("b's"));
    c.write("k", set("c's, newer"));
    b.write("k", add(0));
    awaitMerged(603);
    Map<String, Integer> shown = new TreeMap<>();
    for (int partition = 0; partition < PARTITIONS; partition++) {
      role.queries().visit(partition, new Counting(shown));
    }
    assertThat(shown).hasSize(302).containsEntry("big", 300).containsEntry("string-7", 1);
    KeyReport report = role.queries().report(RedisKey.of(0, "k"), 10).orElseThrow();
    Map<String, Object> explained = new KeyExplainer(id -> name(regions, id)).explain(report);
    assertThat(explained)
        .containsEntry("type", "string")
        .hasEntrySatisfying(
            "why",
            why ->
                assertThat(why.toString())
                    .contains("written by " + name(regions, 3))
                    .contains("newest of 2 concurrent writes"));
    assertThat(role.queries().report(RedisKey.of(0, "big"), 10).orElseThrow().elementsMore())
        .isEqualTo(290);
    assertThat(role.queries().report(RedisKey.of(0, "nothing"), 10)).isEmpty();
  }

  /** Counts elements by key. */
  private static final class Counting implements KeyInspector.Visitor {
    private final Map<String, Integer> counts;
    private String key = "";

    Counting(Map<String, Integer> counts) {
      this.counts = counts;
    }

    @Override
    public void key(RedisKey visited, ElementKind kind, long deadlineMillis) {
      key = visited.name().text();
      counts.put(key, 0);
    }

    @Override
    public void element(Bytes name, Content content) {
      counts.merge(key, 1, Integer::sum);
    }

    @Override
    public void end() {}
  }

  private static Change set(String value) {
    return new Change.StringSet(Bytes.utf8(value), 0, false);
  }

  private static Change add(long delta) {
    return new Change.StringAdd(BigDecimal.valueOf(delta), null);
  }

  /** Waits until this role has merged {@code events} events and all are in Redis. */
  private void awaitMerged(long events) {
    b.flush();
    c.flush();
    await().atMost(Duration.ofMinutes(1)).until(() -> role.stats().counts().events() >= events);
    awaitSettled();
  }

  /** As {@link #awaitMerged}, counted by positions, which survive the role. */
  private void awaitPositions(long events) {
    b.flush();
    c.flush();
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(
            () -> {
              long merged = 0;
              for (PartitionStatus status : role.stats().partitions()) {
                for (int i = 0; i < status.merged().size(); i++) {
                  merged += status.merged().seqAt(i);
                }
              }
              assertThat(merged).as("%s", role.stats()).isEqualTo(events);
            });
    awaitSettled();
  }

  private void awaitSettled() {
    await()
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(
            () -> {
              StreamsStats stats = role.stats();
              assertThat(stats.isSettled(PARTITIONS)).as("%s", stats).isTrue();
            });
  }
}
