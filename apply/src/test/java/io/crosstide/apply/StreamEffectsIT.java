package io.crosstide.apply;

import static io.crosstide.apply.Batches.PARTITION;
import static io.crosstide.apply.Batches.batch;
import static io.crosstide.apply.Batches.put;
import static io.crosstide.apply.TestRedis.bytes;
import static io.crosstide.apply.TestRedis.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.apply.TestRedis.Version;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import io.lettuce.core.Consumer;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.XAddArgs;
import io.lettuce.core.XGroupCreateArgs;
import io.lettuce.core.XReadArgs.StreamOffset;
import io.lettuce.core.models.stream.PendingMessage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What effects on streams do, on real Redis. */
@ParameterizedClass
@MethodSource("versions")
class StreamEffectsIT {
  private static final String LATE = "__ct";
  private static final StreamId FIRST = id(100, 0);

  private final Version version;
  @TempDir Path directory;
  private TestRedis redis;
  private ScriptRunner scripts;
  private long next = 1;

  StreamEffectsIT(Version version) {
    this.version = version;
  }

  static Iterable<Version> versions() {
    return Version.available().toList();
  }

  @BeforeEach
  void start() throws IOException {
    redis = TestRedis.start(version, directory, AofReader.SETTINGS);
    scripts = new ScriptRunner(redis);
    scripts.plant(PARTITION, MarkerState.initial(1));
  }

  @AfterEach
  void stop() {
    redis.close();
  }

  private static StreamId id(long millis, long sequence) {
    return new StreamId(millis, sequence);
  }

  private static Element element(Bytes name) {
    return new Element(RedisKey.of(0, "x"), ElementKind.STREAM, name);
  }

  private static Element entry(StreamId id) {
    return element(StreamElements.entry(id));
  }

  private static Content value(String text) {
    return Content.of(StreamElements.entryValue(List.of(Bytes.utf8("f"), Bytes.utf8(text))));
  }

  /** Two entries with one id, the second of region 2. */
  private static Content both(String first, String second) {
    byte[] a = Objects.requireNonNull(value(first).value()).array();
    byte[] b = Objects.requireNonNull(value(second).value()).array().clone();
    b[0] = 2;
    byte[] all = new byte[a.length + b.length];
    System.arraycopy(a, 0, all, 0, a.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return Content.of(Bytes.wrap(all));
  }

  private BatchReply apply(Effect... effects) {
    BatchReply reply = scripts.apply(batch(next, effects));
    next += effects.length;
    return reply;
  }

  private void passes(Effect... effects) {
    assertThat(apply(effects).misses()).isEmpty();
  }

  private static Effect added(StreamId id, String text) {
    return put(entry(id), Content.ABSENT, value(text));
  }

  private void local(StreamId id, String text) {
    redis
        .commands()
        .xadd(bytes("x"), new XAddArgs().id(id.toString()), Map.of(bytes("f"), bytes(text)));
  }

  /** The entries from the first, as {@code id text}. */
  private List<String> entries() {
    return entries(redis.commands().xrange(bytes("x"), io.lettuce.core.Range.unbounded()));
  }

  private static List<String> entries(List<StreamMessage<byte[], byte[]>> messages) {
    return messages.stream()
        .filter(m -> m.getBody() != null) // claimed on 6.2, but deleted
        .map(m -> m.getId() + " " + text(m.getBody().values().iterator().next()))
        .toList();
  }

  @SuppressWarnings("unchecked") // an array of one offset
  private List<String> read(String group, String consumer) {
    return entries(
        redis
            .commands()
            .xreadgroup(
                Consumer.from(bytes(group), bytes(consumer)),
                StreamOffset.lastConsumed(bytes("x"))));
  }

  private List<String> pending(String group) {
    List<PendingMessage> all =
        redis
            .commands()
            .xpending(
                bytes("x"),
                bytes(group),
                io.lettuce.core.Range.unbounded(),
                io.lettuce.core.Limit.from(1_000));
    return all.stream().map(m -> m.getId() + " " + m.getConsumer()).toList();
  }

  private Map<String, Object> info(String section) {
    List<Object> flat = redis.commands().xinfoStream(bytes("x"));
    if (!section.equals("stream")) {
      flat = asList(redis.commands().xinfoGroups(bytes("x")).get(0));
    }
    Map<String, Object> fields = new HashMap<>();
    for (int i = 0; i < flat.size(); i += 2) {
      Object held = flat.get(i + 1);
      fields.put(text((byte[]) flat.get(i)), held instanceof byte[] b ? text(b) : held);
    }
    return fields;
  }

  @SuppressWarnings("unchecked")
  private static List<Object> asList(Object value) {
    return (List<Object>) value;
  }

  private List<String> commandsOf(Runnable action) throws IOException {
    int before = AofReader.read(directory).size();
    action.run();
    List<List<String>> all = AofReader.read(directory);
    return all.subList(before, all.size()).stream()
        .map(command -> command.get(0).toUpperCase(java.util.Locale.ROOT))
        .toList();
  }

  @Test
  void entriesAboveTheTopAreAddedAndNothingElse() throws IOException {
    local(FIRST, "a");
    List<String> commands =
        commandsOf(() -> passes(added(id(101, 0), "b"), added(id(102, 5), "c")));
    assertThat(commands).filteredOn(name -> name.startsWith("X")).containsExactly("XADD", "XADD");
    assertThat(entries()).containsExactly("100-0 a", "101-0 b", "102-5 c");
  }

  @Test
  void lateEntriesOfOneBatchShareOneRepair() throws IOException {
    for (int i = 0; i < 10; i++) {
      local(id(110 + i * 10, 0), "l" + i);
    }
    List<String> commands =
        commandsOf(
            () ->
                passes(
                    added(id(155, 1), "r1"),
                    added(id(165, 1), "r2"),
                    added(id(165, 2), "r3"),
                    added(id(199, 0), "r4"),
                    added(id(300, 0), "r5")));
    assertThat(entries())
        .containsExactly(
            "110-0 l0",
            "120-0 l1",
            "130-0 l2",
            "140-0 l3",
            "150-0 l4",
            "155-1 r1",
            "160-0 l5",
            "165-1 r2",
            "165-2 r3",
            "170-0 l6",
            "180-0 l7",
            "190-0 l8",
            "199-0 r4",
            "200-0 l9",
            "300-0 r5");
    assertThat(commands).filteredOn(name -> name.equals("XDEL")).hasSize(1);
    assertThat(commands).filteredOn(name -> name.equals("XADD")).hasSize(10);
    assertThat(info("stream")).containsEntry("last-generated-id", "300-0");
  }

  @Test
  void aRepairLeavesTheLastIdAndWhatIsCountedAsTheyWere() {
    local(id(100, 0), "a");
    local(id(120, 0), "b");
    local(id(130, 0), "c");
    redis.commands().xdel(bytes("x"), "130-0");
    Map<String, Object> before = info("stream");
    passes(added(id(110, 0), "late"));
    assertThat(entries()).containsExactly("100-0 a", "110-0 late", "120-0 b");
    assertThat(info("stream")).containsEntry("last-generated-id", "130-0");
    if (before.containsKey("entries-added")) {
      assertThat(info("stream"))
          .containsEntry("entries-added", 4L)
          .containsEntry("max-deleted-entry-id", "130-0");
    }
    local(id(131, 0), "d");
    assertThat(entries()).endsWith("120-0 b", "131-0 d");
  }

  @Test
  void whenEverythingAboveIsDeletedAnEntryStillComesLate() {
    local(id(130, 0), "a");
    redis.commands().xdel(bytes("x"), "130-0");
    passes(added(id(110, 0), "late"));
    assertThat(entries()).containsExactly("110-0 late");
    assertThat(info("stream")).containsEntry("last-generated-id", "130-0");
  }

  @Test
  void groupsThatHaveGonePastALateEntryGetItAsPending() {
    for (int i = 1; i <= 3; i++) {
      local(id(100 + 10 * i, 0), "l" + i);
    }
    redis
        .commands()
        .xgroupCreate(StreamOffset.from(bytes("x"), "0"), bytes("past"), new XGroupCreateArgs());
    redis
        .commands()
        .xgroupCreate(
            StreamOffset.from(bytes("x"), "110-0"), bytes("behind"), new XGroupCreateArgs());
    assertThat(read("past", "c1")).hasSize(3);
    redis.commands().xack(bytes("x"), bytes("past"), "110-0", "130-0");
    passes(added(id(115, 0), "late"));
    assertThat(pending("past")).containsExactly("115-0 " + LATE, "120-0 c1");
    assertThat(pending("behind")).isEmpty();
    assertThat(read("behind", "c2")).containsExactly("115-0 late", "120-0 l2", "130-0 l3");
    assertThat(read("past", "c1")).isEmpty();
  }

  @Test
  void ofTwoEntriesWithOneIdTheSecondIsDisplacedAndItsPendingReferenceMovesAlong() {
    local(id(100, 7), "mine");
    local(id(120, 0), "above");
    redis
        .commands()
        .xgroupCreate(StreamOffset.from(bytes("x"), "0"), bytes("g"), new XGroupCreateArgs());
    assertThat(read("g", "c1")).hasSize(2);
    passes(put(entry(id(100, 7)), value("mine"), both("theirs", "mine")));
    StreamId displaced = id(100, 7).displaced(2);
    assertThat(entries()).containsExactly("100-7 theirs", displaced + " mine", "120-0 above");
    assertThat(pending("g")).containsExactly("100-7 " + LATE, displaced + " c1", "120-0 c1");

    assertThat(apply(new Effect.Probe(entry(id(100, 7)))).answers().get(0).content())
        .isEqualTo(both("theirs", "mine"));
    redis.commands().xdel(bytes("x"), "100-7");
    assertThat(apply(new Effect.Probe(entry(id(100, 7)))).answers().get(0).content())
        .isEqualTo(value("mine"));
    // What stays alone stays where it is.
    passes(put(entry(id(100, 7)), value("mine"), Content.ABSENT));
    assertThat(entries()).containsExactly("120-0 above");
  }

  @Test
  void equalIdsOfALaterRegionGoToTheDisplacedIdAlone() {
    local(id(100, 7), "mine");
    passes(put(entry(id(100, 7)), value("mine"), both("mine", "theirs")));
    assertThat(entries()).containsExactly("100-7 mine", id(100, 7).displaced(2) + " theirs");
  }

  @Test
  void whatRedisNumbersBehindADisplacedIdIsAnEntryOfItsOwn() {
    local(id(100, 7), "mine");
    passes(put(entry(id(100, 7)), value("mine"), both("mine", "theirs")));
    StreamId displaced = id(100, 7).displaced(2);
    StreamId behind = id(100, displaced.sequence() + 1);
    local(behind, "behind");
    assertThat(apply(new Effect.Probe(entry(id(100, 7)))).answers().get(0).content())
        .isEqualTo(both("mine", "theirs"));
    assertThat(apply(new Effect.Probe(entry(behind))).answers().get(0).content())
        .isEqualTo(value("behind"));
  }

  @Test
  void guardsMissOnOtherEntriesOnOtherContentsAndOnOtherTypes() {
    local(FIRST, "a");
    assertThat(apply(added(FIRST, "b")).misses()).hasSize(1);
    assertThat(apply(put(entry(FIRST), value("c"), Content.ABSENT)).misses()).hasSize(1);
    assertThat(apply(put(entry(id(99, 0)), value("a"), Content.ABSENT)).misses()).hasSize(1);
    assertThat(entries()).containsExactly("100-0 a");
    redis.commands().set(bytes("x"), bytes("a string"));
    assertThat(apply(added(id(101, 0), "b")).misses()).hasSize(1);
    assertThat(redis.commands().get(bytes("x"))).isEqualTo(bytes("a string"));
  }

  @Test
  void aGuardedPutOfAnEntryInTheTailOfAnOpenRepairMisses() {
    local(id(110, 0), "a");
    local(id(120, 0), "b");
    BatchReply reply = apply(added(id(105, 0), "late"), added(id(110, 0), "other"));
    assertThat(reply.misses()).hasSize(1);
    assertThat(entries()).containsExactly("105-0 late", "110-0 a", "120-0 b");
  }

  @Test
  void groupsAreMadeRaisedAndNeverLoweredButOnPurpose() {
    Element group = element(StreamElements.group(Bytes.utf8("g")));
    local(id(110, 0), "a");
    local(id(120, 0), "b");
    local(id(130, 0), "c");
    passes(put(group, Content.ABSENT, acknowledged(110, false)));
    assertThat(info("groups")).containsEntry("last-delivered-id", "110-0");
    passes(put(group, acknowledged(110, false), acknowledged(130, false)));
    assertThat(info("groups")).containsEntry("last-delivered-id", "130-0");
    passes(put(group, acknowledged(130, false), acknowledged(120, false)));
    assertThat(info("groups")).containsEntry("last-delivered-id", "130-0");
    passes(put(group, Content.PRESENT, acknowledged(120, true)));
    assertThat(info("groups")).containsEntry("last-delivered-id", "130-0");
    passes(put(group, acknowledged(120, false), acknowledged(120, true)));
    assertThat(read("g", "c")).containsExactly("130-0 c");
    passes(put(group, Content.ABSENT, Content.ABSENT));
    assertThat(redis.commands().xinfoGroups(bytes("x"))).isEmpty();
  }

  private static Content acknowledged(long millis, boolean onPurpose) {
    return Content.of(StreamElements.groupValue(id(millis, 0), onPurpose));
  }

  @Test
  void anEmptyStreamIsKeptUntilItIsToGo() {
    Element stream = element(StreamElements.STREAM);
    Element group = element(StreamElements.group(Bytes.utf8("g")));
    passes(put(stream, Content.ABSENT, Content.PRESENT));
    assertThat(redis.commands().type(bytes("x"))).isEqualTo("stream");
    passes(added(FIRST, "a"), put(group, Content.ABSENT, acknowledged(50, false)));
    passes(put(stream, Content.PRESENT, Content.ABSENT));
    assertThat(entries()).hasSize(1);
    passes(
        put(entry(FIRST), value("a"), Content.ABSENT),
        put(group, acknowledged(50, false), Content.ABSENT),
        put(stream, Content.PRESENT, Content.ABSENT));
    assertThat(redis.commands().exists(bytes("x"))).isZero();
  }

  @Test
  void aCheckThatAStreamIsGoneRemovesWhatEntriesMadeAgain() {
    Element stream = element(StreamElements.STREAM);
    passes(added(FIRST, "a"), put(entry(FIRST), value("a"), Content.ABSENT));
    assertThat(redis.commands().type(bytes("x"))).isEqualTo("stream");
    passes(new Effect.Check(stream, Content.ABSENT, Fx.NONE));
    assertThat(redis.commands().exists(bytes("x"))).isZero();
    passes(added(FIRST, "b"), new Effect.Check(stream, Content.ABSENT, Fx.NONE));
    assertThat(entries()).containsExactly("100-0 b");
  }

  @Test
  void entriesPutAndRemovedInAnyOrderEndUpInOrder() {
    Random random = new Random(7);
    TreeMap<StreamId, String> model = new TreeMap<>();
    redis
        .commands()
        .xgroupCreate(
            StreamOffset.from(bytes("x"), "0"), bytes("g"), new XGroupCreateArgs().mkstream(true));
    List<String> seen = new ArrayList<>();
    for (int round = 0; round < 150; round++) {
      Map<StreamId, Effect> effects = new HashMap<>();
      for (int i = random.nextInt(6); i >= 0; i--) {
        StreamId id = id(random.nextInt(40), 1 + random.nextInt(3));
        String held = model.get(id);
        if (!effects.containsKey(id) && held == null) {
          model.put(id, "v" + round);
          effects.put(id, added(id, "v" + round));
        } else if (held != null && !effects.containsKey(id)) {
          model.remove(id);
          effects.put(id, put(entry(id), value(held), Content.ABSENT));
        }
      }
      List<Effect> inOrder = new ArrayList<>(effects.values());
      passes(inOrder.toArray(new Effect[0]));
      assertThat(entries())
          .as("round %d", round)
          .isEqualTo(model.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).toList());
      if (round % 3 == 0) {
        seen.addAll(read("g", "c"));
      }
    }
    seen.addAll(read("g", "c"));
    seen.addAll(
        entries(
            redis
                .commands()
                .xclaim(
                    bytes("x"),
                    Consumer.from(bytes("g"), bytes("c")),
                    0,
                    pending("g").stream().map(line -> line.split(" ")[0]).toArray(String[]::new))));
    assertThat(seen.stream().collect(Collectors.toSet()))
        .as("the group misses none that is there")
        .containsAll(entries());
  }
}
