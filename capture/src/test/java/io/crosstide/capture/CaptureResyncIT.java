package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.lettuce.core.Consumer;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.SetArgs;
import io.lettuce.core.XAddArgs;
import io.lettuce.core.XReadArgs;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** First starts, and returns after the backlog has run over or Redis was restarted. */
final class CaptureResyncIT {
  @TempDir static Path shared;
  @TempDir Path dir;
  private static EmbeddedBroker broker;

  @BeforeAll
  static void start() {
    broker = EmbeddedBroker.startOnFreePorts(1, shared.resolve("kafka"));
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static Bytes text(String text) {
    return Bytes.utf8(text);
  }

  private static List<Change> changes(CaptureRig rig, String key) {
    return rig.eventsOf(key).stream().map(ChangeEvent::change).toList();
  }

  /** Makes Redis forget what capture has not read. */
  private static void overrunBacklog(CaptureRig rig) {
    rig.commands().configSet("repl-backlog-size", "16384");
    for (int i = 0; i < 64; i++) {
      rig.commands().set("filler", "x".repeat(64 * 1024));
    }
    rig.commands().del("filler");
  }

  @Test
  void whatWasThereBeforeIsPublishedOnce() {
    try (CaptureRig rig = new CaptureRig(broker, "existing", dir)) {
      rig.commands().set("s", "v", SetArgs.Builder.pxAt(4_000_000_000_000L));
      rig.commands().set("long", "y".repeat(100_000));
      rig.commands().hset("h", Map.of("f", "1"));
      Map<String, String> bigHash = new HashMap<>();
      IntStream.range(0, 3_000).forEach(i -> bigHash.put("f" + i, "v" + i));
      rig.commands().hset("hh", bigHash);
      rig.commands().sadd("ints", "1", "-70000", "5000000000");
      rig.commands().sadd("set", "a");
      rig.commands().zadd("z", 1.5, "m");
      rig.commands().zadd("z", Double.POSITIVE_INFINITY, "n");
      rig.commands().pexpireat("z", 4_000_000_000_000L);
      rig.commands().rpush("list", "a", "b");
      IntStream.range(0, 3_000).forEach(i -> rig.commands().rpush("longlist", "element " + i));
      Map<StreamId, Bytes> entries = fillStream(rig, "stream");
      rig.commands().select(7);
      rig.commands().set("s", "seven");
      rig.commands().select(0);

      rig.start().awaitStreaming();
      rig.awaitCaptured();

      assertThat(rig.eventsOf("s"))
          .extracting(event -> CaptureRig.keyOf(event).db(), ChangeEvent::change)
          .containsExactlyInAnyOrder(
              org.assertj.core.groups.Tuple.tuple(
                  0, new Change.StringSet(text("v"), 4_000_000_000_000L, false)),
              org.assertj.core.groups.Tuple.tuple(
                  7, new Change.StringSet(text("seven"), 0, false)));
      assertThat(changes(rig, "long"))
          .containsExactly(new Change.StringSet(text("y".repeat(100_000)), 0, false));
      assertThat(changes(rig, "h")).containsExactly(new Change.HashPut(text("f"), text("1")));
      assertThat(changes(rig, "hh")).hasSize(3_000);
      assertThat(changes(rig, "ints"))
          .containsExactlyInAnyOrder(
              new Change.SetAdd(text("1")),
              new Change.SetAdd(text("-70000")),
              new Change.SetAdd(text("5000000000")));
      assertThat(changes(rig, "set")).containsExactly(new Change.SetAdd(text("a")));
      assertThat(changes(rig, "z"))
          .containsExactly(
              new Change.ZsetPut(text("m"), 1.5),
              new Change.ZsetPut(text("n"), Double.POSITIVE_INFINITY),
              new Change.DeadlineSet(4_000_000_000_000L));
      assertThat(changes(rig, "list"))
          .extracting(change -> ((Change.ListPut) change).value())
          .containsExactly(text("a"), text("b"));
      assertThat(changes(rig, "longlist")).hasSize(3_000);
      assertThat(rig.agent.snapshot().unsupported()).isEmpty();
      List<Change> ofStream = changes(rig, "stream");
      assertThat(ofStream.subList(0, entries.size()))
          .containsExactlyElementsOf(
              entries.entrySet().stream()
                  .map(e -> new Change.StreamPut(StreamElements.entry(e.getKey()), e.getValue()))
                  .toList());
      assertThat(ofStream.subList(entries.size(), ofStream.size()))
          .containsExactly(
              new Change.StreamPut(
                  StreamElements.group(text("g")),
                  StreamElements.groupValue(new StreamId(1, 7), false)));
      assertThat(
              rig.log().stream()
                  .filter(
                      partition ->
                          partition.stream()
                              .anyMatch(event -> event.change() instanceof Change.MarkerLost)))
          .hasSize(CaptureRig.PARTITIONS);

      int before = rig.events().size();
      rig.agent.close();
      rig.start().awaitStreaming();
      rig.awaitCaptured();
      assertThat(rig.events()).hasSize(before);
    }
  }

  /** Entries of all encodings, some deleted, and a group that has acknowledged one of three. */
  @SuppressWarnings("unchecked") // an array of one offset
  private static Map<StreamId, Bytes> fillStream(CaptureRig rig, String key) {
    Map<StreamId, Bytes> entries = new TreeMap<>();
    for (int i = 0; i < 500; i++) {
      StreamId id = new StreamId(1 + i / 20, 7 + 3L * i);
      Map<String, String> fields = new LinkedHashMap<>();
      fields.put("f", i % 3 == 0 ? "" + i * 70_001L * (i % 2 == 0 ? 1 : -1) : "v".repeat(i));
      if (i % 4 == 0) {
        fields.put("other" + i % 7, "x");
      }
      List<Bytes> flat = new ArrayList<>();
      fields.forEach(
          (field, value) -> {
            flat.add(text(field));
            flat.add(text(value));
          });
      rig.commands().xadd(key, new XAddArgs().id(id.toString()), fields);
      entries.put(id, StreamElements.entryValue(flat));
    }
    List<StreamId> ids = List.copyOf(entries.keySet());
    rig.commands().xgroupCreate(XReadArgs.StreamOffset.from(key, "0"), "g");
    rig.commands()
        .xreadgroup(
            Consumer.from("g", "c"),
            XReadArgs.Builder.count(3),
            XReadArgs.StreamOffset.lastConsumed(key));
    rig.commands().xack(key, "g", ids.get(0).toString());
    for (int i = 3; i < 500; i += 50) {
      rig.commands().xdel(key, ids.get(i).toString());
      entries.remove(ids.get(i));
    }
    return entries;
  }

  @Test
  void anOverrunBacklogCostsOnlyADifference() {
    try (CaptureRig rig = new CaptureRig(broker, "overrun", dir).start().awaitStreaming()) {
      rig.commands().set("n", "10");
      rig.commands().set("same", "same");
      rig.commands().set("gone", "x");
      rig.commands().set("expired", "x", SetArgs.Builder.px(1_500));
      rig.commands().hset("h", Map.of("n", "1", "f", "old", "away", "x"));
      rig.commands().sadd("set", "a", "b");
      rig.commands().zadd("z", 1, "m");
      rig.commands().zadd("z", 2, "n");
      rig.commands().set("typed", "string");
      rig.awaitCaptured();
      int before = rig.events().size();
      rig.agent.close();

      rig.commands().incrby("n", 5);
      rig.commands().del("gone");
      rig.commands().hincrby("h", "n", 4);
      rig.commands().hset("h", "f", "new");
      rig.commands().hdel("h", "away");
      rig.commands().pexpireat("h", 4_000_000_000_000L);
      rig.commands().srem("set", "a");
      rig.commands().sadd("set", "c");
      rig.commands().zincrby("z", 3, "m");
      rig.commands().zadd("z", 2.5, "n");
      rig.commands().del("typed");
      rig.commands().sadd("typed", "member");
      rig.await("expiry", () -> rig.commands().exists("expired") == 0);
      overrunBacklog(rig);

      rig.start().awaitStreaming();
      rig.awaitCaptured();
      assertThat(rig.agent.snapshot().fullResyncs()).isEqualTo(1);
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(15);
      assertThat(changes(rig, "same")).hasSize(1);
      assertThat(changes(rig, "gone")).last().isEqualTo(new Change.KeyDelete());
      assertThat(changes(rig, "expired")).last().isInstanceOf(Change.KeyExpire.class);
      assertThat(changes(rig, "h"))
          .endsWith(
              new Change.HashRemove(text("away")),
              new Change.HashPut(text("f"), text("new")),
              new Change.HashAdd(text("n"), BigDecimal.valueOf(4), null),
              new Change.DeadlineSet(4_000_000_000_000L));
      assertThat(changes(rig, "set"))
          .endsWith(new Change.SetRemove(text("a")), new Change.SetAdd(text("c")));
      assertThat(changes(rig, "z"))
          .endsWith(new Change.ZsetAdd(text("m"), 1, 4), new Change.ZsetPut(text("n"), 2.5));
      assertThat(changes(rig, "typed"))
          .endsWith(new Change.KeyDelete(), new Change.SetAdd(text("member")));
      assertThat(rig.events()).hasSize(before + 13);
    }
  }

  @Test
  void aCrashBetweenKafkaAndShadowIsFoldedIntoAResync() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "folded", dir).start().awaitStreaming()) {
      for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 500; i++) {
          RedisFuture<Long> unused = rig.connection.async().incr("n" + i % 3);
        }
        rig.commands().ping();
        rig.agent.abandon();
        overrunBacklog(rig);
        rig.start().awaitStreaming();
      }
      rig.awaitCaptured();
      for (int key = 0; key < 3; key++) {
        assertThat(CaptureRig.sum(rig.eventsOf("n" + key)))
            .isEqualTo(Long.parseLong(rig.commands().get("n" + key)));
      }
    }
  }

  @Test
  void aFirstStartThatDiesMidwayGoesOn() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "midway", dir)) {
      int keys = 30_000;
      for (int i = 0; i < keys; i++) {
        RedisFuture<String> unused = rig.connection.async().set("k" + i, "v" + i);
      }
      rig.commands().ping();
      for (int crash = 1; crash <= 4; crash++) {
        rig.start();
        rig.await("some published", () -> rig.agent.snapshot().eventsCaptured() > 2_000);
        rig.agent.abandon();
      }
      rig.start().awaitStreaming();
      rig.awaitCaptured();
      assertThat(rig.events()).hasSize(keys);
    }
  }

  @Test
  void anEmptyRedisEmptiesNobody() {
    try (CaptureRig rig = new CaptureRig(broker, "emptied", dir).start().awaitStreaming()) {
      rig.commands().set("k", "v");
      rig.awaitCaptured();
      rig.await("beacon", () -> rig.agent.snapshot().lagMillis() > 0);
      rig.redis.kill9();
      rig.redis.start();
      rig.redis.awaitReady(Duration.ofSeconds(20));
      rig.await("resynced", () -> rig.agent.snapshot().fullResyncs() >= 2);
      rig.awaitStreaming();
      rig.commands().set("since", "v");
      rig.awaitCaptured();
      assertThat(changes(rig, "k")).as("nothing was removed").hasSize(1);
      assertThat(changes(rig, "since")).hasSize(1);
    }
  }

  @Test
  void aRedisThatComesBackWithItsDataIsComparedExactly() {
    try (CaptureRig rig = new CaptureRig(broker, "restarted", dir, true).start().awaitStreaming()) {
      for (int restart = 0; restart < 3; restart++) {
        for (int i = 0; i < 300; i++) {
          rig.commands().incr("n");
        }
        rig.redis.kill9();
        rig.redis.start();
        rig.redis.awaitReady(Duration.ofSeconds(20));
        int resyncs = restart + 2;
        rig.await("resynced", () -> rig.agent.snapshot().fullResyncs() >= resyncs);
        rig.awaitStreaming();
      }
      rig.awaitCaptured();
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(900);
    }
  }
}
