package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.ZAddArgs;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients write to a real Redis stands in a real log as the changes it made. */
final class CaptureCommandsIT {
  @TempDir static Path dir;
  private static EmbeddedBroker broker;
  private static CaptureRig rig;

  @BeforeAll
  static void start() {
    broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    rig = new CaptureRig(broker, "commands", dir).start().awaitStreaming();
  }

  @AfterAll
  static void stop() {
    rig.close();
    broker.close();
  }

  private static List<Change> changesOf(String key) {
    rig.awaitCaptured();
    return rig.eventsOf(key).stream().map(ChangeEvent::change).toList();
  }

  private static Bytes text(String text) {
    return Bytes.utf8(text);
  }

  @Test
  void stringsAndTheirIncrements() {
    rig.commands().set("s", "1");
    rig.commands().incrby("s", 41);
    rig.commands().decr("s");
    rig.commands().incrbyfloat("s", 1.25);
    assertThat(changesOf("s"))
        .containsExactly(
            new Change.StringSet(text("1"), 0, false),
            new Change.StringAdd(BigDecimal.valueOf(41), null),
            new Change.StringAdd(BigDecimal.valueOf(-1), null),
            new Change.StringAdd(new BigDecimal("1.25"), text("42.25")));
  }

  @Test
  void setWithADeadlineAndExpiry() {
    rig.commands().set("lock", "a", SetArgs.Builder.pxAt(4_000_000_000_000L));
    rig.commands().persist("lock");
    rig.commands().pexpireat("lock", 4_000_000_000_001L);
    rig.commands().getdel("lock");
    assertThat(changesOf("lock"))
        .containsExactly(
            new Change.StringSet(text("a"), 4_000_000_000_000L, false),
            new Change.DeadlinePersist(),
            new Change.DeadlineSet(4_000_000_000_001L),
            new Change.KeyDelete());
  }

  @Test
  void aKeyWhoseDeadlinePassedExpires() {
    rig.commands().set("brief", "x", SetArgs.Builder.px(150));
    rig.await("expired", () -> rig.commands().exists("brief") == 0);
    List<Change> changes = changesOf("brief");
    assertThat(changes).hasSize(2);
    assertThat(changes.get(1)).isInstanceOf(Change.KeyExpire.class);
  }

  @Test
  void hashes() {
    rig.commands().hset("h", Map.of("n", "5"));
    rig.commands().hincrby("h", "n", 3);
    rig.commands().hincrbyfloat("h", "n", 0.5);
    rig.commands().hdel("h", "n", "absent");
    assertThat(changesOf("h"))
        .containsExactly(
            new Change.HashPut(text("n"), text("5")),
            new Change.HashAdd(text("n"), BigDecimal.valueOf(3), null),
            new Change.HashAdd(text("n"), new BigDecimal("0.5"), text("8.5")),
            new Change.HashRemove(text("n")));
  }

  @Test
  void sets() {
    rig.commands().sadd("set", "a", "b", "c");
    rig.commands().srem("set", "b", "absent");
    rig.commands().smove("set", "other", "a");
    rig.commands().spop("set");
    assertThat(changesOf("set"))
        .containsExactly(
            new Change.SetAdd(text("a")),
            new Change.SetAdd(text("b")),
            new Change.SetAdd(text("c")),
            new Change.SetRemove(text("b")),
            new Change.SetRemove(text("a")),
            new Change.SetRemove(text("c")));
    assertThat(changesOf("other")).containsExactly(new Change.SetAdd(text("a")));
  }

  @Test
  void sortedSets() {
    rig.commands().zadd("z", 1.5, "m");
    rig.commands().zincrby("z", 2, "m");
    rig.commands().zadd("z", ZAddArgs.Builder.gt(), 1, "m");
    rig.commands().zadd("z", ZAddArgs.Builder.nx(), 7, "n");
    rig.commands().zrem("z", "m");
    assertThat(changesOf("z"))
        .containsExactly(
            new Change.ZsetPut(text("m"), 1.5),
            new Change.ZsetAdd(text("m"), 1.5, 3.5),
            new Change.ZsetPut(text("n"), 7),
            new Change.ZsetRemove(text("m")));
  }

  @Test
  void theDatabaseBelongsToTheKey() {
    rig.commands().select(3);
    rig.commands().set("elsewhere", "v");
    rig.commands().select(0);
    rig.awaitCaptured();
    assertThat(rig.eventsOf("elsewhere"))
        .singleElement()
        .satisfies(event -> assertThat(CaptureRig.keyOf(event).db()).isEqualTo(3));
  }

  @Test
  void aTransactionIsPublishedAsAUnit() {
    rig.commands().multi();
    rig.commands().set("{t}a", "1");
    rig.commands().sadd("{t}b", "x", "y");
    rig.commands().exec();
    rig.awaitCaptured();
    List<ChangeEvent> events =
        rig.events().stream()
            .filter(event -> CaptureRig.keyOf(event).name().text().startsWith("{t}"))
            .toList();
    assertThat(events).hasSize(3);
    for (int i = 0; i < 3; i++) {
      assertThat(events.get(i).transaction())
          .isEqualTo(new ChangeEvent.TransactionPart(events.get(0).position().replOffset(), i, 3));
    }
  }

  @Test
  void aScriptsEffectsAreCaptured() {
    rig.commands()
        .eval(
            "redis.call('set', KEYS[1], '1') redis.call('incrby', KEYS[1], 9) return 1",
            ScriptOutputType.INTEGER,
            "scripted");
    assertThat(changesOf("scripted"))
        .containsExactly(
            new Change.StringSet(text("1"), 0, false),
            new Change.StringAdd(BigDecimal.valueOf(9), null));
  }

  @Test
  void whatIsNotReplicatedIsCounted() {
    rig.commands().xadd("stream", Map.of("f", "v"));
    rig.commands().rename("stream", "renamed");
    rig.awaitCaptured();
    rig.await(
        "counted",
        () ->
            rig.agent
                .snapshot()
                .unsupported()
                .containsKey("a stream that was renamed, copied, restored or stored"));
  }

  @Test
  void bigValuesPass() {
    String big = "x".repeat(8 << 20);
    rig.commands().set("big", big);
    assertThat(changesOf("big")).containsExactly(new Change.StringSet(text(big), 0, false));
  }

  @Test
  void reservedKeysAreNeverPublished() {
    rig.awaitCaptured();
    assertThat(rig.events())
        .allSatisfy(event -> assertThat(CaptureRig.keyOf(event).isReserved()).isFalse());
  }
}
