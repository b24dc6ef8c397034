package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.lettuce.core.CopyArgs;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What capture cannot derive, a real Redis puts into its stream (decision 0020). */
final class CaptureReadBackIT {
  private static final String LONG = "L".repeat(100);

  @TempDir static Path dir;
  private static EmbeddedBroker broker;
  private static int rigs;
  private CaptureRig rig;

  @BeforeAll
  static void startBroker() {
    broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  @BeforeEach
  void start() {
    rigs++;
    rig = new CaptureRig(broker, "read-back-" + rigs, dir.resolve("rig" + rigs));
    rig.start().awaitStreaming();
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private List<Change> changesOf(String key) {
    return rig.eventsOf(key).stream().map(ChangeEvent::change).toList();
  }

  private void awaitLast(String key, Change change) {
    rig.await(
        change.toString(),
        () -> {
          List<Change> changes = changesOf(key);
          return !changes.isEmpty() && changes.get(changes.size() - 1).equals(change);
        });
  }

  private static Change set(String value) {
    return new Change.StringSet(Bytes.utf8(value), 0, false);
  }

  /** Without memory Redis refuses the script, and every other write. */
  private void refuseWrites(boolean refused) {
    rig.commands().configSet("maxmemory", refused ? "1" : "0");
  }

  @Test
  void aPartOfALongValueIsPublishedWhole() {
    rig.commands().set("k", LONG);
    rig.commands().append("k", "x");
    awaitLast("k", set(LONG + "x"));
    rig.commands().setbit("k", 7, 1);
    awaitLast("k", set("M" + LONG.substring(1) + "x"));
    assertThat(changesOf("k")).hasSize(3);
    assertThat(rig.agent.snapshot().unsupported()).isEmpty();
  }

  @Test
  void whileRedisRefusesItIsAskedAgain() {
    rig.commands().set("k", LONG);
    rig.commands().set("other", "v");
    rig.commands().multi();
    rig.commands().append("k", "x");
    rig.commands().configSet("maxmemory", "1");
    rig.commands().exec();
    rig.awaitCaptured();
    rig.commands().del("other");
    rig.await("the next change", () -> changesOf("other").size() == 2);
    assertThat(changesOf("k")).containsExactly(set(LONG));
    refuseWrites(false);
    awaitLast("k", set(LONG + "x"));
  }

  @Test
  void killedBeforeTheContentCame() throws Exception {
    rig.commands().set("k", LONG);
    rig.commands().multi();
    rig.commands().append("k", "x");
    rig.commands().rename("k", "n");
    rig.commands().configSet("maxmemory", "1");
    rig.commands().exec();
    rig.awaitCaptured();
    rig.agent.abandon();
    assertThat(changesOf("n")).isEmpty();
    refuseWrites(false);
    rig.start().awaitStreaming();
    awaitLast("n", set(LONG + "x"));
    assertThat(changesOf("n")).hasSize(1);
    assertThat(changesOf("k")).containsExactly(set(LONG), new Change.KeyDelete());
  }

  @Test
  void killedOverAndOverNothingIsLostOrDoubled() throws Exception {
    rig.commands().set("k", LONG);
    StringBuilder expected = new StringBuilder(LONG);
    for (int round = 0; round < 5; round++) {
      for (int i = 0; i < 200; i++) {
        rig.commands().append("k", "x");
        rig.commands().set("big", LONG.repeat(300));
        rig.commands().append("big", "y");
        expected.append('x');
      }
      rig.agent.abandon();
      rig.start().awaitStreaming();
    }
    awaitLast("k", set(expected.toString()));
    awaitLast("big", set(LONG.repeat(300) + "y"));
    rig.commands().copy("big", "copy", CopyArgs.Builder.replace(true));
    awaitLast("copy", set(LONG.repeat(300) + "y"));
  }

  @Test
  void aLargeCollectionComesInPiecesAndIsWhole() {
    Map<String, String> fields = new HashMap<>();
    for (int i = 0; i < 30_000; i++) {
      fields.put("f" + i, "v" + i);
    }
    fields.put("long", "L".repeat(1_000_000));
    rig.commands().hset("h", fields);
    rig.commands().pexpireat("h", 4_000_000_000_000L);
    rig.commands().rename("h", "g");
    awaitLast("g", new Change.DeadlineSet(4_000_000_000_000L));
    Map<String, String> published = new HashMap<>();
    for (ChangeEvent event : rig.eventsOf("g")) {
      if (event.change() instanceof Change.HashPut put) {
        published.put(put.name().text(), put.value().text());
      }
    }
    assertThat(published).isEqualTo(fields);
    ChangeEvent last = rig.eventsOf("g").get(30_002);
    assertThat(Objects.requireNonNull(last.transaction()).count()).isEqualTo(30_003);
    assertThat(rig.commands().keys("__ct:read*")).isEmpty();
  }
}
