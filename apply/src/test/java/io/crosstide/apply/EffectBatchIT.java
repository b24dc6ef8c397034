package io.crosstide.apply;

import static io.crosstide.apply.Batches.PARTITION;
import static io.crosstide.apply.Batches.add;
import static io.crosstide.apply.Batches.batch;
import static io.crosstide.apply.Batches.context;
import static io.crosstide.apply.Batches.group;
import static io.crosstide.apply.Batches.put;
import static io.crosstide.apply.Batches.string;
import static io.crosstide.apply.TestRedis.bytes;
import static io.crosstide.apply.TestRedis.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.apply.TestRedis.Version;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.BatchReply.Outcome;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What the effect batch promises, claim by claim, on real Redis. */
@ParameterizedClass
@MethodSource("versions")
class EffectBatchIT {
  private static final String TOKEN = "token";
  private static final long DEADLINE_MILLIS = 20;

  private static final MarkerState INITIAL = MarkerState.initial(1);

  private final Version version;
  @TempDir Path directory;
  private TestRedis redis;
  private ScriptRunner scripts;

  EffectBatchIT(Version version) {
    this.version = version;
  }

  static Iterable<Version> versions() {
    return Version.available().toList();
  }

  @BeforeEach
  void start() throws IOException {
    redis = TestRedis.start(version, directory, AofReader.SETTINGS);
    scripts = new ScriptRunner(redis);
    scripts.plant(PARTITION, INITIAL);
  }

  @AfterEach
  void stop() {
    redis.close();
  }

  private List<List<String>> streamOf(Runnable action) throws IOException {
    int before = AofReader.read(directory).size();
    action.run();
    List<List<String>> commands = AofReader.read(directory);
    return commands.subList(before, commands.size());
  }

  private String get(String key) {
    byte[] value = redis.commands().get(bytes(key));
    return value == null ? "(none)" : text(value);
  }

  private String markerField(String field) {
    byte[] value = redis.commands().hget(bytes(MarkerState.key(PARTITION)), bytes(field));
    return value == null ? "(none)" : text(value);
  }

  private void giveDeadlineThatPasses(String key) {
    // Counted by Redis from the command on: it deletes at once what is given a deadline in the
    // past.
    redis.commands().pexpire(bytes(key), DEADLINE_MILLIS);
    long deadline = redis.nowMillis() + DEADLINE_MILLIS;
    Awaitility.await().pollInterval(Duration.ofMillis(1)).until(() -> redis.nowMillis() > deadline);
  }

  @Test
  void lazyExpiryStandsBeforeTheMarkerInTheStreamAndEffectsAfterIt() throws IOException {
    redis.stopActiveExpiry();
    redis.commands().select(3);
    redis.commands().sadd(bytes("s"), bytes("old"));
    giveDeadlineThatPasses("s");
    redis.commands().select(0);
    redis.commands().set(bytes("t"), bytes("old"));
    giveDeadlineThatPasses("t");

    Element member = new Element(RedisKey.of(3, "s"), ElementKind.SET_MEMBER, Bytes.utf8("new"));
    List<List<String>> stream =
        streamOf(
            () ->
                assertThat(
                        scripts
                            .apply(
                                batch(
                                    1,
                                    put(member, Content.ABSENT, Content.PRESENT),
                                    put("t", "new")))
                            .misses())
                    .isEmpty());

    List<String> shape =
        stream.stream()
            .map(command -> String.join(" ", command.subList(0, Math.min(2, command.size()))))
            .map(command -> command.toUpperCase(Locale.ROOT))
            // 6.2 begins the MULTI only at the marker, 7.0 at the first expiry: the same to us.
            .filter(command -> !command.equals("MULTI"))
            .toList();
    assertThat(shape)
        .containsExactly(
            "DEL T",
            "SELECT 3",
            "DEL S",
            "SELECT 0",
            "HSET __CT:{3}",
            "SELECT 3",
            "SADD S",
            "SELECT 0",
            "SET T",
            "EXEC");
  }

  @Test
  void aBatchOfNoopsOnlyMovesTheMarker() throws IOException {
    List<List<String>> stream =
        streamOf(() -> scripts.apply(batch(1, new Effect.Noop(), new Effect.Noop())));
    assertThat(stream)
        .filteredOn(command -> !List.of("MULTI", "EXEC").contains(command.get(0)))
        .containsExactly(
            List.of("HSET", "__ct:{3}", "f", "1:2", "c", context(1).encode(), "k", "0", "h", "0"));
  }

  @Test
  void aMessageIsHeardOnceWithTheBatchThatClaimsIt() {
    RedisClient client = RedisClient.create("redis://127.0.0.1:" + redis.port());
    try (StatefulRedisPubSubConnection<String, String> listening = client.connectPubSub()) {
      List<String> heard = new CopyOnWriteArrayList<>();
      listening.addListener(
          new RedisPubSubAdapter<>() {
            @Override
            public void message(String channel, String message) {
              heard.add(channel + " " + message);
            }
          });
      listening.sync().subscribe("c", "end");
      EffectBatch batch = batch(1, put("a", "1"), publish("c", "m", false), put("b", "2"));
      assertThat(scripts.apply(batch).misses()).isEmpty();
      assertThat(scripts.apply(batch).outcome()).isEqualTo(Outcome.ALREADY_APPLIED);
      // Redis before 7.0 has no other channels than these.
      boolean hasShards = redis.version() == Version.INSTALLED;
      scripts.apply(batch(4, publish("c", "sharded", true)));
      redis.commands().publish(bytes("end"), bytes(""));
      Awaitility.await().until(() -> heard.contains("end "));
      assertThat(heard)
          .containsExactlyElementsOf(
              hasShards ? List.of("c m", "end ") : List.of("c m", "c sharded", "end "));
      assertThat(get("b")).isEqualTo("2");
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  @Test
  void aMessageThatRedisRefusesIsReportedAndHoldsNothingUp() {
    redis
        .commands()
        .dispatch(
            CommandType.ACL,
            new StatusOutput<>(ByteArrayCodec.INSTANCE),
            new CommandArgs<>(ByteArrayCodec.INSTANCE)
                .add("SETUSER")
                .add("default")
                .add("-publish"));
    BatchReply reply = scripts.apply(batch(1, publish("c", "m", false), put("b", "2")));
    assertThat(reply.misses()).singleElement().satisfies(miss -> assertThat(miss.number()).isOne());
    assertThat(get("b")).isEqualTo("2");
  }

  private static Effect publish(String channel, String message, boolean sharded) {
    return new Effect.Publish(Bytes.utf8(channel), Bytes.utf8(message), sharded);
  }

  @Test
  void theMarkerTellsTheHighestStampMerged() {
    HybridTimestamp stamp = HybridTimestamp.of(1_800_000_000_000L, 65535);
    EffectBatch.Group group = new EffectBatch.Group(context(1), List.of(new Effect.Noop()));
    scripts.apply(new EffectBatch(PARTITION, 1, 1, Fx.NONE, stamp, List.of(group)));
    assertThat(markerField("h")).isEqualTo(Long.toString(stamp.packed()));
  }

  @Test
  void onlyABatchWithAProbeIsRecordedAsProbed() {
    scripts.apply(batch(1, put("a", "1")));
    assertThat(markerField("p")).isEqualTo("(none)");
    scripts.apply(batch(2, new Effect.Probe(string("a")), put("b", "1")));
    assertThat(markerField("p")).isEqualTo("1:3");
    scripts.apply(batch(4, put("c", "1")));
    assertThat(markerField("p")).isEqualTo("1:3");
  }

  @Test
  void aFirstMissIsRecordedWithTheContextBeforeItsGroup() {
    redis.commands().set(bytes("k"), bytes("local"));
    redis.commands().set(bytes("l"), bytes("local"));
    BatchReply reply =
        scripts.apply(
            batch(
                1,
                1,
                group(10, put("k", "x")),
                group(11, put("a", "1")),
                group(12, put("l", "y"))));

    assertThat(reply.misses())
        .containsExactly(new BatchReply.Miss(1, "guard"), new BatchReply.Miss(3, "guard"));
    MarkerState marker = scripts.held(PARTITION);
    assertThat(marker.context()).isEqualTo(context(12));
    assertThat(marker.exceptions())
        .isEqualTo(
            Map.of(
                string("k").digest(), new MarkerState.Missed(new Fx(1, 1), VersionVector.EMPTY),
                string("l").digest(), new MarkerState.Missed(new Fx(1, 3), context(11))));
  }

  @Test
  void aLaterMissRaisesTheNumberAndKeepsTheContextAndAPassRemovesBoth() {
    redis.commands().set(bytes("k"), bytes("local"));
    scripts.apply(batch(1, put("k", "x")));
    BatchReply second =
        scripts.apply(batch(2, put(string("k"), Content.utf8("local"), Content.utf8("x"))));
    assertThat(second.misses()).containsExactly(new BatchReply.Miss(2, "exception"));
    assertThat(markerField("x:" + string("k").digest())).isEqualTo("1:2 ");

    scripts.apply(
        batch(
            3,
            new Effect.Put(string("k"), Content.utf8("local"), Content.utf8("x"), new Fx(1, 2))));
    assertThat(get("k")).isEqualTo("x");
    assertThat(markerField("k")).isEqualTo("0");
    assertThat(markerField("x:" + string("k").digest())).isEqualTo("(none)");
  }

  @Test
  void aProbeAnswersWithTheExceptionAndLeavesIt() {
    redis.commands().set(bytes("k"), bytes("local"));
    scripts.apply(batch(1, put("k", "x")));
    BatchReply reply = scripts.apply(batch(2, new Effect.Probe(string("k"))));
    assertThat(reply.answers())
        .containsExactly(new BatchReply.ProbeAnswer(2, Content.utf8("local"), new Fx(1, 1)));
    assertThat(markerField("k")).isEqualTo("1");
  }

  @Test
  void valuesOfAMegabyteAreWrittenGuardedAndProbedByDigest() {
    byte[] large = new byte[1 << 20];
    new Random(1).nextBytes(large);
    byte[] other = large.clone();
    other[large.length - 1]++;
    Content first = Content.of(Bytes.wrap(large));
    Content second = Content.of(Bytes.wrap(other));
    Element key = string("large");

    assertThat(scripts.apply(batch(1, put(key, Content.ABSENT, first))).misses()).isEmpty();
    assertThat(scripts.apply(batch(2, put(key, second, first))).misses()).hasSize(1);
    assertThat(redis.commands().get(bytes("large"))).isEqualTo(large);
    BatchReply probe = scripts.apply(batch(3, new Effect.Probe(key)));
    assertThat(probe.answers().get(0).content()).isEqualTo(first);
    scripts.apply(batch(4, new Effect.Put(key, first.compact(), second, new Fx(1, 2))));
    assertThat(Arrays.equals(redis.commands().get(bytes("large")), other)).isTrue();
  }

  @Test
  void aBatchOfThousandsOfEffectsAndMissesIsOneBatch() {
    int count = 5000;
    List<Effect> effects = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      effects.add(put("k" + i, "v" + i));
    }
    assertThat(scripts.apply(batch(1, effects.toArray(new Effect[0]))).misses()).isEmpty();
    assertThat(scripts.apply(batch(count + 1, effects.toArray(new Effect[0]))).misses())
        .hasSize(count);
    assertThat(markerField("k")).isEqualTo("" + count);
    MarkerState marker = scripts.held(PARTITION);
    assertThat(marker.exceptions()).hasSize(count);

    redis.commands().del(bytes(MarkerState.key(PARTITION)));
    assertThat(scripts.plant(PARTITION, marker)).isEqualTo(marker);
  }

  @Test
  void aStringEffectNeverReplacesAnotherType() {
    redis.commands().rpush(bytes("list"), bytes("x"));
    BatchReply reply =
        scripts.apply(
            batch(
                1,
                put("list", "x"),
                add("list", 1),
                put(string("list"), Content.ABSENT, Content.ABSENT)));
    assertThat(reply.misses()).extracting(BatchReply.Miss::number).containsExactly(1L, 2L, 3L);
    assertThat(reply.misses().get(0).reason()).startsWith("WRONGTYPE");
    assertThat(redis.commands().type(bytes("list"))).isEqualTo("list");
  }

  @Test
  void anIncrementThatOverflowsIsAMissWithRedisOwnWords() {
    redis.commands().set(bytes("n"), bytes(Long.toString(Long.MAX_VALUE)));
    BatchReply reply = scripts.apply(batch(1, add("n", 1)));
    assertThat(reply.misses().get(0).reason()).contains("overflow");
    assertThat(get("n")).isEqualTo(Long.toString(Long.MAX_VALUE));
  }

  @Test
  void anEffectKeepsTheDeadlineOfTheKey() {
    redis.commands().set(bytes("k"), bytes("old"));
    redis.commands().pexpireat(bytes("k"), BatchGenerator.FAR);
    scripts.apply(batch(1, put(string("k"), Content.utf8("old"), Content.utf8("new"))));
    assertThat(get("k")).isEqualTo("new");
    assertThat(redis.commands().pttl(bytes("k"))).isPositive();
  }

  @Test
  void aDeadlineIsGuardedToTheMillisecond() {
    redis.commands().set(bytes("k"), bytes("v"));
    redis.commands().pexpireat(bytes("k"), BatchGenerator.FAR);
    Element deadline = Element.deadline(RedisKey.of(0, "k"));
    BatchReply reply =
        scripts.apply(
            batch(
                1,
                put(
                    deadline,
                    Content.deadline(BatchGenerator.FAR),
                    Content.deadline(BatchGenerator.FAR + 1)),
                new Effect.Check(deadline, Content.deadline(BatchGenerator.FAR + 1), Fx.NONE),
                new Effect.Probe(deadline)));
    assertThat(reply.misses()).isEmpty();
    assertThat(reply.answers().get(0).content())
        .isEqualTo(Content.deadline(BatchGenerator.FAR + 1));
  }

  @Test
  void aMissingMarkerIsWrittenOnlyWhereTheTokenOfItsOwnerStands() {
    MarkerState marker = new MarkerState(2, new Fx(2, 0), new Fx(1, 9), context(8), Map.of());
    redis.commands().del(bytes(MarkerState.key(PARTITION)));
    assertThat(scripts.install(PARTITION, marker, TOKEN)).as("nothing was asked").isNull();
    assertThat(scripts.takeOver(PARTITION, 2, TOKEN)).isNull();
    assertThat(scripts.takeOver(PARTITION, 3, "another's")).isNull();
    assertThat(scripts.install(PARTITION, marker, TOKEN)).as("another asked since").isNull();
    assertThat(markerField("e")).isEqualTo("(none)");
    assertThat(scripts.apply(batch(2, 1, group(9, put("a", "1")))).outcome())
        .isEqualTo(Outcome.NO_MARKER);

    assertThat(scripts.install(PARTITION, marker, "another's")).isEqualTo(marker);
    assertThat(markerField("t")).isEqualTo("(none)");
    assertThat(scripts.install(PARTITION, MarkerState.initial(2), "another's"))
        .as("it has been used")
        .isEqualTo(marker);
  }

  @Test
  void anOldMarkerBroughtBackIsLeftAsItIsUntilThePresentOneIsWritten() {
    Map<String, MarkerState.Missed> exceptions = new HashMap<>();
    exceptions.put(string("q").digest(), new MarkerState.Missed(new Fx(1, 1), context(4)));
    MarkerState old = new MarkerState(1, new Fx(1, 2), context(1), exceptions);
    scripts.plant(PARTITION, old);
    MarkerState present = new MarkerState(1, new Fx(1, 9), context(8), Map.of());
    assertThat(scripts.takeOver(PARTITION, 1, new Fx(1, 3), TOKEN)).isNull();
    assertThat(scripts.held(PARTITION)).isEqualTo(old);
    assertThat(scripts.install(PARTITION, present, TOKEN)).isEqualTo(present);
    assertThat(scripts.held(PARTITION)).as("its exceptions are gone").isEqualTo(present);
  }

  @Test
  void aTokenIsGoneOnceALaterOwnerHasTakenTheMarkerForThePresentOne() {
    MarkerState old = new MarkerState(1, new Fx(1, 2), context(1), Map.of());
    scripts.plant(PARTITION, old);
    assertThat(scripts.takeOver(PARTITION, 1, new Fx(1, 3), TOKEN)).isNull();
    assertThat(scripts.takeOver(PARTITION, 2, "another's")).isEqualTo(old);
    MarkerState present = new MarkerState(1, new Fx(1, 9), context(8), Map.of());
    assertThat(scripts.install(PARTITION, present, TOKEN)).isEqualTo(old.raisedTo(2));
  }

  @Test
  void aDeadlineIsNotSetOnAStringThatIsNotTheOneItWasMeantFor() {
    Element deadline = Element.deadline(RedisKey.of(0, "lock"));
    redis.commands().set(bytes("lock"), bytes("local, for ever"));
    redis.commands().set(bytes("other"), bytes("v"));
    Content far = Content.deadline(BatchGenerator.FAR);
    BatchReply reply =
        scripts.apply(
            batch(
                1,
                put("lock", "remote, with a deadline"),
                new Effect.Put(deadline, Content.ABSENT, far, Fx.NONE),
                new Effect.Put(
                    Element.deadline(RedisKey.of(0, "other")), Content.ABSENT, far, Fx.NONE)));
    assertThat(reply.misses())
        .containsExactly(new BatchReply.Miss(1, "guard"), new BatchReply.Miss(2, "string"));
    assertThat(redis.commands().pttl(bytes("lock"))).isEqualTo(-1);
    assertThat(redis.commands().pttl(bytes("other"))).isPositive();
    assertThat(scripts.held(PARTITION).exceptions())
        .containsOnlyKeys(string("lock").digest(), deadline.digest());
  }

  @Test
  void aStringThatMissedKeepsItsDeadlineUntilAnEffectThatKnowsOfTheMissPasses() {
    Element deadline = Element.deadline(RedisKey.of(0, "lock"));
    Content far = Content.deadline(BatchGenerator.FAR);
    redis.commands().set(bytes("lock"), bytes("local"));
    redis.commands().pexpireat(bytes("lock"), BatchGenerator.FAR);
    BatchReply reply =
        scripts.apply(
            batch(
                1,
                put("lock", "remote, for ever"),
                new Effect.Put(deadline, far, Content.ABSENT, Fx.NONE)));
    assertThat(reply.misses())
        .containsExactly(new BatchReply.Miss(1, "guard"), new BatchReply.Miss(2, "string"));
    assertThat(redis.commands().pttl(bytes("lock"))).isPositive();

    reply =
        scripts.apply(
            batch(
                3,
                new Effect.Put(string("lock"), Content.utf8("x"), Content.utf8("y"), Fx.NONE),
                new Effect.Check(string("lock"), Content.utf8("local"), new Fx(1, 3)),
                new Effect.Put(deadline, far, Content.ABSENT, new Fx(1, 2))));
    assertThat(reply.misses()).containsExactly(new BatchReply.Miss(3, "exception"));
    assertThat(redis.commands().pttl(bytes("lock"))).isEqualTo(-1);
    assertThat(scripts.held(PARTITION).exceptions()).isEmpty();
  }

  @Test
  void aTakeOverRaisesEpochAndNumberAndAnswersWithTheMarkerBefore() {
    redis.commands().set(bytes("k"), bytes("local"));
    scripts.apply(batch(1, put("k", "x")));
    MarkerState before = scripts.held(PARTITION);
    redis.commands().pexpireat(bytes(MarkerState.key(PARTITION)), BatchGenerator.FAR);

    assertThat(scripts.takeOver(PARTITION, 3, TOKEN)).isEqualTo(before);
    MarkerState raised = before.raisedTo(3);
    assertThat(scripts.takeOver(PARTITION, 3, TOKEN)).isEqualTo(raised);
    assertThat(scripts.takeOver(PARTITION, 2, TOKEN)).isEqualTo(raised);
    assertThat(raised.preceding()).isEqualTo(new Fx(1, 1));
    assertThat(redis.commands().pttl(bytes(MarkerState.key(PARTITION)))).isEqualTo(-1);
    assertThat(scripts.apply(batch(2, put("a", "1"))).outcome()).isEqualTo(Outcome.OLD_EPOCH);
    assertThat(scripts.apply(batch(3, 2, group(9, put("a", "1")))).outcome())
        .isEqualTo(Outcome.GAP);
    assertThat(scripts.apply(batch(3, 1, group(9, put("a", "1")))).outcome())
        .isEqualTo(Outcome.APPLIED);
  }

  @Test
  void anInstallationOverAMarkerNotBehindRaisesItsEpochAndAnswersWithTheMarkerAfter() {
    scripts.apply(batch(1, put("a", "1")));
    MarkerState now =
        scripts.install(PARTITION, new MarkerState(4, new Fx(1, 1), context(1), Map.of()), TOKEN);
    assertThat(now).isEqualTo(new MarkerState(4, new Fx(4, 0), new Fx(1, 1), context(1), Map.of()));
  }

  @Test
  void anInstallationByAFormerOwnerChangesNothing() {
    scripts.takeOver(PARTITION, 5, TOKEN);
    MarkerState marker =
        scripts.install(PARTITION, new MarkerState(4, new Fx(4, 9), context(9), Map.of()), TOKEN);
    assertThat(marker).isEqualTo(new MarkerState(5, new Fx(5, 0), VersionVector.EMPTY, Map.of()));
  }

  @Test
  void theMarkerIsNeverDeletedToBeWrittenAnew() throws IOException {
    List<List<String>> stream =
        streamOf(
            () -> scripts.plant(PARTITION, new MarkerState(2, new Fx(1, 9), context(8), Map.of())));
    assertThat(stream).extracting(command -> command.get(0)).doesNotContain("DEL", "UNLINK");
  }

  @Test
  void aFullRedisRefusesTheWholeBatchEvenIfItDeletesFirst() {
    redis.commands().set(bytes("a"), bytes("1"));
    redis.commands().configSet("maxmemory", "1");
    assertThatThrownBy(
            () ->
                scripts.apply(
                    batch(1, put(string("a"), Content.utf8("1"), Content.ABSENT), put("b", "1"))))
        .isInstanceOf(RedisCommandExecutionException.class)
        .satisfies(e -> assertThat(RedisRefusal.code("" + e.getMessage())).isEqualTo("OOM"));
    redis.commands().configSet("maxmemory", "0");
    assertThat(get("a")).isEqualTo("1");
    assertThat(get("b")).isEqualTo("(none)");
    assertThat(scripts.held(PARTITION)).isEqualTo(INITIAL);
    assertThat(scripts.apply(batch(1, put("b", "1"))).outcome()).isEqualTo(Outcome.APPLIED);
  }

  @Test
  void aFullRedisRefusesTheBatchThoughItsTouchFoundAnExpiredKey() throws IOException {
    redis.stopActiveExpiry();
    redis.commands().set(bytes("t"), bytes("old"));
    giveDeadlineThatPasses("t");
    redis.commands().configSet("maxmemory", "1");
    List<List<String>> stream =
        streamOf(
            () ->
                assertThatThrownBy(() -> scripts.apply(batch(1, put("t", "new"))))
                    .satisfies(
                        e -> assertThat(RedisRefusal.code("" + e.getMessage())).isEqualTo("OOM")));
    assertThat(stream)
        .filteredOn(command -> !List.of("MULTI", "EXEC").contains(command.get(0)))
        .containsExactly(List.of("DEL", "t"));
    redis.commands().configSet("maxmemory", "0");
    assertThat(scripts.held(PARTITION)).isEqualTo(INITIAL);
  }

  @Test
  void aRedisWithoutItsReplicasRefusesTheWholeBatch() {
    redis.commands().configSet("min-replicas-to-write", "1");
    assertThatThrownBy(() -> scripts.apply(batch(1, put("b", "1"))))
        .satisfies(e -> assertThat(RedisRefusal.code("" + e.getMessage())).isEqualTo("NOREPLICAS"));
    redis.commands().configSet("min-replicas-to-write", "0");
    assertThat(get("b")).isEqualTo("(none)");
    assertThat(scripts.held(PARTITION)).isEqualTo(INITIAL);
  }

  @Test
  void aReplicaRefusesTheWholeBatch() {
    // Its primary is its own port, so it never gets one: a replica with the data it had.
    redis.commands().replicaof("127.0.0.1", redis.port());
    assertThatThrownBy(() -> scripts.apply(batch(1, put("b", "1"))))
        .satisfies(e -> assertThat(RedisRefusal.code("" + e.getMessage())).isEqualTo("READONLY"));
    redis.commands().replicaofNoOne();
    assertThat(get("b")).isEqualTo("(none)");
    assertThat(scripts.held(PARTITION)).isEqualTo(INITIAL);
  }

  @Test
  void aRestartFromTheAppendOnlyFileKeepsMarkerAndEffectsTogether() throws IOException {
    redis.commands().set(bytes("k"), bytes("local"));
    scripts.apply(batch(1, put("a", "1"), put("k", "x")));
    MarkerState before = scripts.held(PARTITION);
    redis.kill();
    redis.startAgain();
    assertThat(scripts.held(PARTITION)).isEqualTo(before);
    assertThat(get("a")).isEqualTo("1");
    assertThat(scripts.apply(batch(1, put("a", "1"), put("k", "x"))).outcome())
        .isEqualTo(Outcome.ALREADY_APPLIED);
  }
}
