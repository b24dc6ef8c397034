package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.schemas.Partitions;
import io.lettuce.core.ScriptOutputType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Effects are recognised and never published again; the log says how far they are. */
final class CaptureMarkersIT {
  private static final String BATCH =
      """
      redis.call('hset', KEYS[1], 'f', ARGV[1], 'c', ARGV[2])
      if ARGV[3] ~= '' then redis.call('hset', KEYS[1], 'p', ARGV[3]) end
      redis.call('set', KEYS[2], ARGV[4])
      redis.call('sadd', KEYS[3], 'a', 'b')
      return 1
      """;

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

  private static String key(int partition, String name) {
    return IntStream.range(0, 10_000)
        .mapToObj(i -> name + i)
        .filter(
            key ->
                Partitions.of(key.getBytes(StandardCharsets.UTF_8), CaptureRig.PARTITIONS)
                    == partition)
        .findFirst()
        .orElseThrow();
  }

  private static void install(CaptureRig rig, int partition) {
    rig.commands()
        .hset(MarkerState.key(partition), Map.of("e", "1", "f", "0:0", "c", "", "k", "0"));
  }

  private static void batch(
      CaptureRig rig, int partition, String fx, VersionVector context, boolean probe) {
    rig.commands()
        .eval(
            BATCH,
            ScriptOutputType.INTEGER,
            new String[] {
              MarkerState.key(partition), key(partition, "remote"), key(partition, "remoteset")
            },
            fx,
            context.encode(),
            probe ? fx : "",
            "remote value");
  }

  @Test
  void effectsAreNotPublishedAndLaterWritesSayThatTheySawThem() {
    try (CaptureRig rig = new CaptureRig(broker, "effects", dir).start().awaitStreaming()) {
      install(rig, 2);
      VersionVector seen = VersionVector.of(Origin.of(2), 5);
      batch(rig, 2, "1:2", seen, false);
      rig.commands().set(key(2, "local"), "v");
      rig.commands().set(key(1, "other"), "v");
      rig.awaitCaptured();

      assertThat(rig.events()).hasSize(2);
      ChangeEvent local = rig.eventsOf(key(2, "local")).get(0);
      assertThat(local.fx()).isEqualTo(new Fx(1, 2));
      assertThat(local.context()).isEqualTo(seen);
      assertThat(rig.eventsOf(key(1, "other")).get(0).context()).isEqualTo(VersionVector.EMPTY);
      rig.await("counted", () -> rig.agent.snapshot().markersSeen() >= 2);
    }
  }

  @Test
  void aBeatFollowsAProbeBeforeAnyLaterEvent() {
    try (CaptureRig rig = new CaptureRig(broker, "probes", dir).start().awaitStreaming()) {
      install(rig, 0);
      rig.commands().set(key(0, "before"), "v");
      batch(rig, 0, "1:2", VersionVector.of(Origin.of(2), 5), true);
      rig.commands().set(key(0, "after"), "v");
      rig.awaitCaptured();
      List<ChangeEvent> log = rig.log().get(0);
      int after =
          IntStream.range(0, log.size())
              .filter(i -> log.get(i).key() != null)
              .filter(i -> CaptureRig.keyOf(log.get(i)).name().text().startsWith("after"))
              .findFirst()
              .orElseThrow();
      ChangeEvent beat = log.get(after - 1);
      assertThat(beat.change()).isEqualTo(new Change.Beat(VersionVector.of(Origin.of(2), 5)));
      assertThat(beat.fx()).isEqualTo(new Fx(1, 2));
      assertThat(beat.seq()).isEqualTo(1);
    }
  }

  @Test
  void aMovedMarkerIsToldThoughNobodyWrites() {
    try (CaptureRig rig = new CaptureRig(broker, "moves", dir).start().awaitStreaming()) {
      install(rig, 3);
      batch(rig, 3, "1:2", VersionVector.of(Origin.of(2), 5), false);
      rig.await(
          "beat",
          () ->
              rig.log().get(3).stream()
                  .anyMatch(
                      event ->
                          event.change() instanceof Change.Beat
                              && event.fx().equals(new Fx(1, 2))));
    }
  }

  @Test
  void aRemovedMarkerIsToldWithWhatItHeld() {
    try (CaptureRig rig = new CaptureRig(broker, "removes", dir).start().awaitStreaming()) {
      install(rig, 1);
      batch(rig, 1, "1:7", VersionVector.of(Origin.of(2), 5), false);
      rig.commands().set(key(1, "k"), "v");
      rig.commands().flushall();
      rig.awaitCaptured();
      List<ChangeEvent> log = rig.log().get(1);
      ChangeEvent lost = log.get(log.size() - 1);
      while (lost.change() instanceof Change.Beat) {
        log.remove(log.size() - 1);
        lost = log.get(log.size() - 1);
      }
      assertThat(lost.change()).isEqualTo(new Change.MarkerLost());
      assertThat(lost.fx()).isEqualTo(new Fx(1, 7));
      assertThat(rig.eventsOf(key(1, "k")))
          .extracting(ChangeEvent::change)
          .last()
          .isEqualTo(new Change.KeyDelete());
      // What others wrote here is removed too: this flush had seen it.
      assertThat(rig.eventsOf(key(1, "remote")))
          .extracting(ChangeEvent::change)
          .containsExactly(new Change.KeyDelete());
    }
  }

  @Test
  void aCaptureThatWasTakenOverIsIgnored() {
    try (CaptureRig rig = new CaptureRig(broker, "fenced", dir).start().awaitStreaming()) {
      for (int i = 0; i < 50; i++) {
        rig.commands().incr("n");
      }
      rig.awaitCaptured();
      CaptureAgent old = rig.agent;
      rig.config = onDirectory(rig.config, "second");
      rig.start().awaitStreaming();
      for (int i = 0; i < 50; i++) {
        rig.commands().incr("n");
      }
      rig.await("the old one stops", () -> old.state() == CaptureState.FAILED);
      rig.awaitCaptured();
      assertThat(rig.agent.snapshot().captureEpoch()).isEqualTo(2);
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(100);
      assertThat(rig.log().stream().flatMap(List::stream).filter(e -> e.key() != null))
          .as("the old one's records, as far as it came, are still there")
          .hasSizeBetween(100, 150);
      old.close();
    }
  }

  @Test
  void aCaptureThatWasTakenOverStopsAndConfirmsNothing() {
    try (CaptureRig rig = new CaptureRig(broker, "taken-over", dir).start().awaitStreaming()) {
      rig.commands().incrby("n", 3);
      rig.awaitCaptured();
      CaptureAgent old = rig.agent;
      rig.config = onDirectory(rig.config, "second");
      rig.start().awaitStreaming();
      rig.agent.close();
      rig.commands().incrby("n", 4);
      Awaitility.await().until(() -> old.state() == CaptureState.FAILED);
      assertThat(old.sentence()).contains("Another capture has taken over", "only one");
      assertThat(rig.commands().waitForReplication(1, 200))
          .as("what the old one wrote after the new one's fence is read by nobody")
          .isZero();
      rig.start().awaitStreaming();
      rig.awaitCaptured();
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(7);
      old.close();
    }
  }

  @Test
  void aLogThatIsEmptiedByItsRetentionIsContinued() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "emptied", dir).start().awaitStreaming()) {
      rig.commands().incrby("n", 3);
      rig.awaitCaptured();
      long seq = rig.eventsOf("n").get(0).seq();
      rig.agent.close();
      rig.emptyLog();
      rig.start().awaitStreaming();
      rig.commands().incrby("n", 4);
      rig.awaitCaptured();

      assertThat(
              rig.log().stream().flatMap(List::stream).filter(e -> !e.isControl() && e.seq() > seq))
          .as("numbers go on where they were, and a receiver that has the first misses none")
          .extracting(ChangeEvent::seq)
          .containsExactly(seq + 1);
    }
  }

  @Test
  void aLogThatHasLostItsEndIsNotContinued() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "lost-end", dir).start().awaitStreaming()) {
      rig.commands().incrby("n", 3);
      rig.awaitCaptured();
      rig.agent.close();
      rig.deleteLog();
      rig.start();
      Awaitility.await().until(() -> rig.agent.state() == CaptureState.FAILED);
      assertThat(rig.agent.sentence()).contains("the log has lost its end");
      assertThat(rig.log()).allMatch(List::isEmpty);
    }
  }

  private CaptureConfig onDirectory(CaptureConfig config, String name) {
    return CaptureConfig.of(
        config.region(),
        config.regionId(),
        config.redis(),
        config.kafka(),
        config.partitions(),
        dir.resolve(name));
  }
}
