package io.crosstide.apply;

import static io.crosstide.apply.Batches.PARTITION;
import static io.crosstide.apply.Batches.add;
import static io.crosstide.apply.Batches.batch;
import static io.crosstide.apply.Batches.put;
import static io.crosstide.apply.TestRedis.bytes;
import static io.crosstide.apply.TestRedis.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.apply.TestRedis.Version;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.BatchReply.Outcome;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.lettuce.core.AclSetuserArgs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What the wire promises when connections, Redis and scripts come and go. */
@ParameterizedClass
@MethodSource("versions")
class LettuceEffectWireIT {
  private final Version version;
  private final TestOwner owner = new TestOwner();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  @TempDir Path directory;
  private TestRedis redis;
  private @Nullable RegionRedis region;

  LettuceEffectWireIT(Version version) {
    this.version = version;
  }

  static Iterable<Version> versions() {
    return Version.available().toList();
  }

  @BeforeEach
  void start() throws IOException {
    redis = TestRedis.start(version, directory.resolve("redis"));
  }

  @AfterEach
  void stop() {
    if (region != null) {
      region.close();
    }
    redis.close();
  }

  private LettuceEffectWire open() {
    return open(redis.endpoint());
  }

  private LettuceEffectWire open(RedisEndpoint endpoint) {
    return open(endpoint, Duration.ofMillis(1500));
  }

  private LettuceEffectWire open(RedisEndpoint endpoint, Duration stallTimeout) {
    ApplyConfig config =
        new ApplyConfig(
            "test",
            endpoint,
            Duration.ofSeconds(2),
            Duration.ofMillis(5),
            Duration.ofMillis(100),
            stallTimeout,
            2);
    RegionRedis opened = new RegionRedis(config, new ApplyMetrics(registry, "test"));
    region = opened;
    LettuceEffectWire wire = opened.openWire(owner::wakeUp);
    owner.attach(wire);
    return wire;
  }

  private LettuceEffectWire openInstalled() {
    return openInstalled(Duration.ofMillis(1500));
  }

  private LettuceEffectWire openInstalled(Duration stallTimeout) {
    LettuceEffectWire wire = open(redis.endpoint(), stallTimeout);
    owner.awaitConnect(1);
    redis.leaveToken(PARTITION, "token");
    wire.install(PARTITION, MarkerState.initial(1), "token");
    owner.awaitThat("the marker", () -> !owner.markers.isEmpty());
    return wire;
  }

  private String get(String key) {
    byte[] value = redis.commands().get(bytes(key));
    return value == null ? "(none)" : text(value);
  }

  @Test
  void repliesComeInTheOrderOfTheCallsAndOnlyWhenDrained() {
    LettuceEffectWire wire = openInstalled();
    for (int i = 1; i <= 50; i++) {
      wire.send(batch(i, add("n", 1)));
    }
    wire.takeOver(PARTITION, 1, Fx.NONE, "token");
    Awaitility.await().until(() -> get("n").equals("50"));
    assertThat(owner.replies).isEmpty();

    owner.awaitThat("the second marker", () -> owner.markers.size() == 2);
    assertThat(owner.replies)
        .extracting(reply -> reply.batch().first())
        .isEqualTo(LongStream.rangeClosed(1, 50).boxed().toList());
    assertThat(owner.log.get(owner.log.size() - 1)).isEqualTo("marker 1:50");
  }

  @Test
  void metricsCountWhatHappened() {
    LettuceEffectWire wire = openInstalled();
    redis.commands().set(bytes("k"), bytes("local"));
    wire.send(batch(1, put("k", "x"), add("n", 1), add("k", 1)));
    wire.send(batch(4, new Effect.Probe(Batches.string("k"))));
    owner.awaitReply(batch -> batch.first() == 4);
    assertThat(registry.get(ApplyMetrics.EFFECTS).counter().count()).isEqualTo(4);
    assertThat(registry.get(ApplyMetrics.PROBES).counter().count()).isEqualTo(1);
    assertThat(registry.get(ApplyMetrics.MISSES).tag("reason", "guard").counter().count())
        .isEqualTo(1);
    assertThat(registry.get(ApplyMetrics.MISSES).tag("reason", "exception").counter().count())
        .isEqualTo(1);
    assertThat(registry.get(ApplyMetrics.BATCHES).tag("outcome", "applied").counter().count())
        .isEqualTo(2);
    assertThat(registry.get(ApplyMetrics.REPLY_LATENCY).timer().count()).isEqualTo(2);
    assertThat(registry.get(ApplyMetrics.CONNECTS).counter().count()).isEqualTo(1);
  }

  @Test
  void callsBeforeTheConnectionAndBetweenConnectionsAreDropped() {
    LettuceEffectWire wire = open();
    wire.install(PARTITION, MarkerState.initial(1), "token");
    owner.awaitConnect(1);
    wire.takeOver(PARTITION, 1, Fx.NONE, "token");
    owner.awaitThat("the marker", () -> !owner.markers.isEmpty());
    assertThat(owner.log).containsExactly("connected", "marker none");

    redis.kill();
    owner.awaitThat("the disconnection", () -> owner.disconnects == 1);
    wire.takeOver(PARTITION, 1, Fx.NONE, "token");
    wire.send(batch(1, add("n", 1)));
    assertThat(owner.log).containsExactly("connected", "marker none", "disconnected");
  }

  @Test
  void aRestartedRedisIsFoundAgainAndWithoutItsMarkerAppliesNothing() throws IOException {
    LettuceEffectWire wire = openInstalled();
    wire.send(batch(1, add("n", 1)));
    owner.awaitReply(batch -> batch.first() == 1);
    redis.kill();
    owner.awaitThat("the disconnection", () -> owner.disconnects == 1);
    redis.startAgain();
    owner.awaitConnect(2);
    wire.send(batch(2, add("n", 1)));
    assertThat(owner.awaitReply(batch -> batch.first() == 2).reply().outcome())
        .isEqualTo(Outcome.NO_MARKER);
    assertThat(get("n")).isEqualTo("(none)");
  }

  @Test
  void aBatchWhoseReplyWasLostIsNotAppliedAgain() throws IOException {
    try (TestProxy proxy = new TestProxy(redis.port())) {
      LettuceEffectWire wire = open(RedisEndpoint.of("127.0.0.1", proxy.port()));
      owner.awaitConnect(1);
      redis.leaveToken(PARTITION, "token");
      wire.install(PARTITION, MarkerState.initial(1), "token");
      owner.awaitThat("the marker", () -> !owner.markers.isEmpty());

      proxy.swallowReplies();
      EffectBatch first = batch(1, add("n", 1));
      EffectBatch second = batch(2, add("n", 10));
      wire.send(first);
      wire.send(second);
      Awaitility.await().until(() -> get("n").equals("11") && proxy.swallowedBytes() > 0);
      proxy.cut();
      owner.awaitConnect(2);
      wire.send(first);
      wire.send(second);
      wire.send(batch(3, add("n", 100)));
      owner.awaitReply(batch -> batch.first() == 3);
      assertThat(owner.replies)
          .extracting(reply -> reply.reply().outcome())
          .containsExactly(Outcome.ALREADY_APPLIED, Outcome.ALREADY_APPLIED, Outcome.APPLIED);
      assertThat(get("n")).isEqualTo("111");
    }
  }

  /** Sends again by P1 and P2 whatever is not acknowledged. */
  @Test
  void countersAreExactWhileConnectionsAreKilledAllTheTime() {
    int batches = 2000;
    LettuceEffectWire wire = openInstalled();
    Random random = new Random(42);
    Deque<EffectBatch> unacknowledged = new ArrayDeque<>();
    int connects = owner.connects;
    int replies = 0;
    long sent = 0;
    int kills = 0;
    long expected = 0;
    while (sent < batches || !unacknowledged.isEmpty()) {
      while (sent < batches && unacknowledged.size() < 4) {
        sent++;
        expected += sent;
        EffectBatch next = batch(sent, add("n", sent));
        unacknowledged.addLast(next);
        wire.send(next);
      }
      if (random.nextInt(20) == 0) {
        kills++;
        redis.killClients();
      }
      int seenReplies = replies;
      int seenConnects = connects;
      owner.awaitThat(
          "progress", () -> owner.replies.size() > seenReplies || owner.connects > seenConnects);
      for (; replies < owner.replies.size(); replies++) {
        TestOwner.Reply reply = owner.replies.get(replies);
        EffectBatch first = unacknowledged.peekFirst();
        boolean applied =
            reply.reply().outcome() == Outcome.APPLIED
                || reply.reply().outcome() == Outcome.ALREADY_APPLIED;
        assertThat(applied).as("%s", reply).isTrue();
        if (first != null && first.first() == reply.batch().first()) {
          unacknowledged.removeFirst();
        }
      }
      if (owner.connects > connects) {
        connects = owner.connects;
        unacknowledged.forEach(wire::send);
      }
    }
    assertThat(kills).isGreaterThan(20);
    assertThat(owner.disconnects).isGreaterThan(20);
    assertThat(get("n")).isEqualTo(Long.toString(expected));
  }

  @Test
  void aForgottenScriptIsLoadedAgainAtOnce() {
    LettuceEffectWire wire = openInstalled();
    redis.commands().scriptFlush();
    wire.send(batch(1, add("n", 1)));
    wire.send(batch(2, add("n", 1)));
    owner.awaitThat("both refusals", () -> owner.refusals.size() + owner.replies.size() == 2);
    assertThat(owner.refusals).isNotEmpty();
    assertThat(RedisRefusal.code(owner.refusals.get(0).error())).isEqualTo("NOSCRIPT");
    wire.send(batch(1, add("n", 1)));
    wire.send(batch(2, add("n", 1)));
    owner.awaitThat(
        "the second",
        () ->
            owner.replies.stream()
                .anyMatch(
                    reply ->
                        reply.batch().first() == 2 && reply.reply().outcome() == Outcome.APPLIED));
    assertThat(get("n")).isEqualTo("2");

    redis.commands().scriptFlush();
    wire.takeOver(PARTITION, 2, Fx.NONE, "token");
    owner.awaitThat("the refusal", () -> owner.log.contains("marker refused NOSCRIPT"));
    wire.takeOver(PARTITION, 2, Fx.NONE, "token");
    owner.awaitThat("the marker", () -> owner.markers.size() == 2);
  }

  @Test
  void refusalsAreReportedWithTheirCodeAndWriteNothing() throws IOException {
    LettuceEffectWire wire = openInstalled();

    redis.commands().configSet("maxmemory", "1");
    assertRefused(wire, "OOM");
    redis.commands().configSet("maxmemory", "0");

    redis.commands().configSet("min-replicas-to-write", "1");
    assertRefused(wire, "NOREPLICAS");
    redis.commands().configSet("min-replicas-to-write", "0");

    redis.commands().replicaof("127.0.0.1", redis.port());
    assertRefused(wire, "READONLY");
    redis.commands().replicaofNoOne();

    // A save that cannot be written, for want of its directory.
    try (Stream<Path> files = Files.walk(redis.directory())) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    redis.commands().configSet("save", "3600 1");
    redis.commands().bgsave();
    Awaitility.await()
        .until(() -> redis.commands().info("persistence").contains("rdb_last_bgsave_status:err"));
    assertRefused(wire, "MISCONF");
    redis.commands().configSet("save", "");

    assertThat(get("n")).isEqualTo("(none)");
    wire.send(batch(1, add("n", 1)));
    owner.awaitReply(batch -> true);
    assertThat(owner.replies.get(0).reply().outcome()).isEqualTo(Outcome.APPLIED);
    assertThat(owner.disconnects).isZero();
  }

  @Test
  void aFullRedisCanBeConnectedTo() {
    redis.leaveToken(PARTITION, "token");
    redis.commands().configSet("maxmemory", "1");
    LettuceEffectWire wire = open();
    owner.awaitConnect(1);
    wire.install(PARTITION, MarkerState.initial(1), "token");
    owner.awaitThat("the refusal", () -> owner.log.contains("marker refused OOM"));
    redis.commands().configSet("maxmemory", "0");
    wire.install(PARTITION, MarkerState.initial(1), "token");
    owner.awaitThat("the marker", () -> owner.log.contains("marker 0:0"));
  }

  private void assertRefused(LettuceEffectWire wire, String code) {
    int before = owner.refusals.size();
    wire.send(batch(1, add("n", 1)));
    owner.awaitThat("the refusal", () -> owner.refusals.size() > before);
    assertThat(owner.refusals.get(before).error()).startsWith(code + " ");
  }

  @Test
  void aRedisBusyWithAScriptRefusesUntilTheScriptIsKilled() throws Exception {
    redis.commands().configSet("lua-time-limit", "50");
    LettuceEffectWire wire = openInstalled();
    try (AutoCloseable busy = redis.runEndlessScript()) {
      assertThat(busy).isNotNull();
      assertRefused(wire, "BUSY");
    }
    wire.send(batch(1, add("n", 1)));
    owner.awaitReply(batch -> true);
    assertThat(get("n")).isEqualTo("1");
  }

  @Test
  void aRedisThatStopsAnsweringIsGivenUpAndWhatItDidLaterIsNotDoneTwice()
      throws IOException, InterruptedException {
    LettuceEffectWire wire = openInstalled();
    EffectBatch sent = batch(1, add("n", 1));
    signal("STOP");
    wire.send(sent);
    owner.awaitThat("the disconnection", () -> owner.disconnects == 1);
    signal("CONT");
    owner.awaitConnect(2);
    wire.send(sent);
    owner.awaitReply(batch -> true);
    wire.takeOver(PARTITION, 1, Fx.NONE, "token");
    owner.awaitThat("the marker", () -> owner.markers.size() == 2);
    MarkerState marker = owner.markers.get(1);
    assertThat(marker == null ? Fx.NONE : marker.fx()).isEqualTo(new Fx(1, 1));
    assertThat(get("n")).isEqualTo("1");
  }

  @Test
  void aBatchThatTakesRedisLongerThanTheStallTimeoutIsAppliedInTheEnd() {
    LettuceEffectWire wire = openInstalled(Duration.ofMillis(150));
    Element large = Batches.string("large");
    int size = 64 << 20;
    redis.commands().setrange(bytes("large"), size - 1, bytes("x"));
    // Comparing it takes Redis longer than 150 ms, which its other answers do not take.
    byte[] expected = new byte[size];
    expected[size - 1] = 'x';
    EffectBatch slow =
        batch(
            1,
            new Effect.Check(large, Content.of(Bytes.wrap(expected)).compact(), Fx.NONE),
            new Effect.Check(large, Content.of(Bytes.wrap(expected)).compact(), Fx.NONE),
            new Effect.Check(large, Content.of(Bytes.wrap(expected)).compact(), Fx.NONE),
            new Effect.Check(large, Content.of(Bytes.wrap(expected)).compact(), Fx.NONE),
            new Effect.Check(large, Content.of(Bytes.wrap(expected)).compact(), Fx.NONE),
            add("n", 1));
    int connects = 0;
    while (owner.replies.isEmpty()) {
      if (owner.connects > connects) {
        connects = owner.connects;
        wire.send(slow);
      }
      int seen = connects;
      owner.awaitThat("progress", () -> !owner.replies.isEmpty() || owner.connects > seen);
    }
    assertThat(owner.replies.get(0).reply().misses()).isEmpty();
    assertThat(get("n")).isEqualTo("1");
  }

  private void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, "" + redis.pid()).start();
    assertThat(kill.waitFor(5, TimeUnit.SECONDS)).isTrue();
    assertThat(kill.exitValue()).isZero();
  }

  @Test
  void aPasswordIsAskedForAndAWrongOneIsTriedUntilItIsRight() {
    redis.commands().configSet("requirepass", "secret");
    RedisEndpoint plain = redis.endpoint();
    open(
        new RedisEndpoint(
            plain.host(), plain.port(), null, "wrong", false, null, null, null, true));
    redis.authenticate("secret");
    Awaitility.await().until(() -> redis.commands().info("errorstats").contains("WRONGPASS"));
    assertThat(owner.connects).isZero();
    redis.commands().configSet("requirepass", "wrong");
    owner.awaitConnect(1);
  }

  @Test
  void aUserWithAPasswordCanBeUsed() {
    redis
        .commands()
        .aclSetuser(
            "crosstide", AclSetuserArgs.Builder.on().addPassword("secret").allKeys().allCommands());
    RedisEndpoint plain = redis.endpoint();
    open(
        new RedisEndpoint(
            plain.host(), plain.port(), "crosstide", "secret", false, null, null, null, true));
    owner.awaitConnect(1);
  }

  @Test
  void aClosedWireStaysClosed() {
    LettuceEffectWire wire = openInstalled();
    wire.close();
    owner.awaitThat("the disconnection", () -> owner.disconnects == 1);
    redis.killClients();
    Awaitility.await()
        .during(Duration.ofMillis(200))
        .until(() -> List.of("connected", "marker 0:0", "disconnected").equals(owner.log));
    assertThat(clients()).isEqualTo(1);
  }

  private long clients() {
    return redis.commands().clientList().lines().count();
  }
}
