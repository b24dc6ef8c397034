package io.crosstide.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.Consumer;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.XAddArgs;
import io.lettuce.core.XGroupCreateArgs;
import io.lettuce.core.XReadArgs.StreamOffset;
import io.lettuce.core.XTrimArgs;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.models.stream.PendingMessage;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The examples of streams and consumer groups in the semantics document, on a whole system. */
@ExtendWith(WithRig.class)
class StreamSemanticsIT {
  private static final String LATE = "__ct";

  private final SystemRig rig;
  private final RedisCommands<String, String> r1;
  private final RedisCommands<String, String> r2;
  private final String key = "x:" + Long.toHexString(ThreadLocalRandom.current().nextLong());

  StreamSemanticsIT(SystemRig rig) {
    this.rig = rig;
    this.r1 = rig.region(1).redis();
    this.r2 = rig.region(2).redis();
  }

  @BeforeEach
  void beginEqual() {
    rig.settle();
  }

  @Test
  @DisplayName("STREAM-1: entries added beside each other are both there, in one order")
  void concurrentEntriesAreAllThere() {
    rig.cut();
    r1.xadd(key, "text", "hello");
    r2.xadd(key, "text", "goodbye");
    rig.settle();
    assertThat(texts(r1)).containsExactlyInAnyOrder("hello", "goodbye");
    everywhere(this::entries, entries(r1));
  }

  @Test
  @DisplayName("STREAM-2: an entry survives a DEL that has not seen it")
  void entrySurvivesConcurrentDelete() {
    r1.xadd(key, "text", "hello");
    rig.settle();
    rig.cut();
    r1.del(key);
    r2.xadd(key, "text", "goodbye");
    rig.settle();
    everywhere(this::texts, List.of("goodbye"));
    r2.del(key);
    rig.settle();
    everywhere(r -> r.exists(key), 0L);
  }

  @Test
  @DisplayName("STREAM-3: two entries with one id are both there, under the same ids everywhere")
  void entriesWithOneIdAreBothThere() {
    rig.cut();
    add(r1, "100-1", "one");
    add(r2, "100-1", "two");
    add(r2, "101-1", "above");
    rig.settle();
    everywhere(this::texts, List.of("one", "two", "above"));
    everywhere(this::entries, entries(r1));
    assertThat(entries(r1).get(0)).isEqualTo("100-1 one");
    String displaced = entries(r1).get(1).split(" ")[0];
    assertThat(displaced).startsWith("100-9");

    r1.xdel(key, "100-1");
    rig.settle();
    everywhere(this::entries, List.of(displaced + " two", "101-1 above"));
    r1.xdel(key, displaced);
    rig.settle();
    everywhere(this::entries, List.of("101-1 above"));
  }

  @Test
  @DisplayName("STREAM-4: an entry that arrives late is where its id sorts, and no group misses it")
  void lateEntryIsInOrderAndNoGroupMissesIt() {
    r2.xgroupCreate(StreamOffset.from(key, "0"), "workers", new XGroupCreateArgs().mkstream(true));
    rig.settle();
    rig.cut();
    add(r1, "110-0", "a");
    add(r1, "120-0", "c");
    add(r1, "130-0", "d");
    add(r2, "115-0", "b");
    assertThat(read(r1, "workers", "c1")).containsExactly("110-0 a", "120-0 c", "130-0 d");
    rig.settle();
    everywhere(this::entries, List.of("110-0 a", "115-0 b", "120-0 c", "130-0 d"));
    assertThat(pending(r1, "workers"))
        .containsExactly("110-0 c1", "115-0 " + LATE, "120-0 c1", "130-0 c1");
    List<StreamMessage<String, String>> claimed =
        r1.xautoclaim(
                key,
                new io.lettuce.core.XAutoClaimArgs<String>()
                    .consumer(Consumer.from("workers", "c2"))
                    .minIdleTime(0)
                    .startId("111-0")
                    .count(1))
            .getMessages();
    assertThat(texts(claimed)).containsExactly("115-0 b");
  }

  @Test
  @DisplayName("STREAM-5: what one region trims is trimmed everywhere, and an empty stream stays")
  void trimmingIsReplicatedAndAnEmptyStreamStays() {
    for (int i = 1; i <= 20; i++) {
      r1.xadd(key, new XAddArgs().id(i + "-0").maxlen(5).exactTrimming(), Map.of("text", "t" + i));
    }
    rig.settle();
    everywhere(this::texts, List.of("t16", "t17", "t18", "t19", "t20"));
    r2.xtrim(key, new XTrimArgs().minId("19-0").exactTrimming());
    rig.settle();
    everywhere(this::texts, List.of("t19", "t20"));
    r2.xdel(key, "19-0", "20-0");
    rig.settle();
    everywhere(r -> r.type(key), "stream");
    everywhere(r -> r.xlen(key), 0L);
    r2.del(key);
    rig.settle();
    everywhere(r -> r.exists(key), 0L);
  }

  @Test
  @DisplayName("a stream gives way to a newer string, and comes back in its place")
  void anotherTypeTakesItsPlace() {
    add(r1, "1-0", "a");
    r1.xgroupCreate(StreamOffset.from(key, "0"), "g");
    rig.settle();
    r2.set(key, "text");
    rig.settle();
    everywhere(r -> r.get(key), "text");
    r1.del(key);
    add(r1, "1-0", "b");
    rig.settle();
    everywhere(this::entries, List.of("1-0 b"));
  }

  @Test
  @DisplayName("GROUP-1: groups created beside each other both exist everywhere")
  void concurrentGroupsBothExist() {
    add(r1, "1-0", "a");
    rig.settle();
    rig.cut();
    r1.xgroupCreate(StreamOffset.from(key, "0"), "group1");
    r2.xgroupCreate(StreamOffset.from(key, "0"), "group2");
    rig.settle();
    everywhere(this::groups, List.of("group1", "group2"));
  }

  @Test
  @DisplayName("GROUP-2: a group survives a DEL that has not seen it")
  void groupSurvivesConcurrentDelete() {
    add(r1, "1-0", "a");
    r1.xgroupCreate(StreamOffset.from(key, "0"), "group1");
    rig.settle();
    rig.cut();
    r1.del(key);
    r2.xgroupCreate(StreamOffset.from(key, "0"), "group2");
    rig.settle();
    everywhere(this::groups, List.of("group2"));
    everywhere(r -> r.xlen(key), 0L);
  }

  @Test
  @DisplayName("GROUP-4: consumers and what is pending for them stay where they are")
  void consumersAndPendingEntriesStay() {
    add(r1, "1-0", "a");
    r1.xgroupCreate(StreamOffset.from(key, "0"), "g");
    assertThat(read(r1, "g", "c1")).hasSize(1);
    rig.settle();
    assertThat(pending(r1, "g")).containsExactly("1-0 c1");
    assertThat(pending(r2, "g")).isEmpty();
    assertThat(r2.xinfoConsumers(key, "g")).isEmpty();
    assertThat(read(r2, "g", "c2")).containsExactly("1-0 a");
  }

  @Test
  @DisplayName("GROUP-5: what a group has acknowledged without a gap is not delivered elsewhere")
  void contiguousAcknowledgementsAreReplicated() {
    add(r1, "110-0", "a");
    add(r1, "120-0", "b");
    add(r1, "130-0", "c");
    r1.xgroupCreate(StreamOffset.from(key, "0"), "g");
    assertThat(read(r1, "g", "c1")).hasSize(3);
    rig.settle();
    everywhereBut1("0-0");
    r1.xack(key, "g", "110-0");
    rig.settle();
    everywhereBut1("110-0");
    r1.xack(key, "g", "130-0");
    rig.settle();
    everywhereBut1("110-0");
    r1.xack(key, "g", "120-0");
    rig.settle();
    everywhereBut1("130-0");
    assertThat(read(r2, "g", "c2")).isEmpty();
  }

  @Test
  @DisplayName("GROUP-6: a group that is set back, or destroyed, is so everywhere")
  void groupIsSetBackAndDestroyed() {
    add(r1, "1-0", "a");
    add(r1, "2-0", "b");
    r1.xgroupCreate(StreamOffset.from(key, "2-0"), "g");
    rig.settle();
    everywhereBut1("2-0");
    r1.xgroupSetid(StreamOffset.from(key, "1-0"), "g");
    rig.settle();
    everywhereBut1("1-0");
    r2.xgroupDestroy(key, "g");
    rig.settle();
    everywhere(this::groups, List.of());
  }

  private void add(RedisCommands<String, String> redis, String id, String text) {
    redis.xadd(key, new XAddArgs().id(id), Map.of("text", text));
  }

  private List<String> entries(RedisCommands<String, String> redis) {
    return texts(redis.xrange(key, Range.unbounded()));
  }

  private static List<String> texts(List<StreamMessage<String, String>> messages) {
    return messages.stream().map(m -> m.getId() + " " + m.getBody().get("text")).toList();
  }

  private List<String> texts(RedisCommands<String, String> redis) {
    return redis.xrange(key, Range.unbounded()).stream().map(m -> m.getBody().get("text")).toList();
  }

  @SuppressWarnings("unchecked") // an array of one offset
  private List<String> read(RedisCommands<String, String> redis, String group, String consumer) {
    return texts(redis.xreadgroup(Consumer.from(group, consumer), StreamOffset.lastConsumed(key)));
  }

  private List<String> pending(RedisCommands<String, String> redis, String group) {
    List<PendingMessage> all = redis.xpending(key, group, Range.unbounded(), Limit.from(1_000));
    return all.stream().map(m -> m.getId() + " " + m.getConsumer()).toList();
  }

  private List<String> groups(RedisCommands<String, String> redis) {
    return fields(redis, "name");
  }

  private List<String> fields(RedisCommands<String, String> redis, String field) {
    return redis.xinfoGroups(key).stream()
        .map(group -> (List<?>) group)
        .map(group -> String.valueOf(group.get(group.indexOf(field) + 1)))
        .sorted()
        .toList();
  }

  /** The position of the only group, in the regions that have read nothing of it themselves. */
  private void everywhereBut1(String delivered) {
    for (RegionClient region : rig.regions()) {
      if (region.id() != 1) {
        assertThat(fields(region.redis(), "last-delivered-id"))
            .as(() -> key + " in " + region.name() + "\n" + rig.explain(key))
            .isEqualTo(List.of(delivered));
      }
    }
  }

  private <T> void everywhere(Function<RedisCommands<String, String>, T> reading, T expected) {
    for (RegionClient region : rig.regions()) {
      assertThat(reading.apply(region.redis()))
          .as(() -> key + " in " + region.name() + "\n" + rig.explain(key))
          .isEqualTo(expected);
    }
  }
}
