package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code WAIT} promises, and that nothing is lost or doubled whoever dies or is cut off. */
final class CaptureDurabilityIT {
  @TempDir Path dir;

  @Test
  void waitCountsCaptureOnlyWhenKafkaHasTheWrite() {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    try (CaptureRig rig = new CaptureRig(broker, "waits", dir).start().awaitStreaming()) {
      rig.commands().incr("n");
      assertThat(rig.commands().waitForReplication(1, 5_000)).isEqualTo(1);
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(1);

      broker.close();
      rig.commands().incr("n");
      assertThat(rig.commands().waitForReplication(1, 700)).isZero();
      assertThat(rig.agent.state()).isEqualTo(CaptureState.STREAMING);

      EmbeddedBroker again = new EmbeddedBroker(broker.config()).start();
      try {
        assertThat(rig.commands().waitForReplication(1, 20_000)).isEqualTo(1);
        assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(2);
      } finally {
        rig.agent.close();
        again.close();
      }
    }
  }

  @Test
  void aCutConnectionContinuesWithoutASnapshot() {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    try (CaptureRig rig = new CaptureRig(broker, "cuts", dir).start().awaitStreaming()) {
      rig.commands().select(2);
      for (int cut = 1; cut <= 5; cut++) {
        for (int i = 0; i < 200; i++) {
          rig.commands().incr("n");
        }
        long reconnects = rig.agent.snapshot().reconnects();
        rig.commands().clientKill(io.lettuce.core.KillArgs.Builder.typeSlave());
        rig.commands().incr("n");
        rig.await("reconnected", () -> rig.agent.snapshot().reconnects() > reconnects);
      }
      rig.awaitCaptured();
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(5 * 201);
      // The selected database survives a CONTINUE although Redis does not repeat SELECT.
      assertThat(rig.eventsOf("n")).allMatch(event -> CaptureRig.keyOf(event).db() == 2);
      assertThat(rig.agent.snapshot().fullResyncs()).isEqualTo(1);
    } finally {
      broker.close();
    }
  }

  @Test
  void aCrashUnderLoadLosesAndDoublesNothing() throws Exception {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    try (CaptureRig rig = new CaptureRig(broker, "crashes", dir).start().awaitStreaming()) {
      AtomicBoolean loading = new AtomicBoolean(true);
      AtomicLong written = new AtomicLong();
      Thread load =
          new Thread(
              () -> {
                try (var connection = rig.client.connect()) {
                  var commands = connection.sync();
                  for (long i = 0; loading.get(); i++) {
                    commands.incr("n" + i % 7);
                    commands.multi();
                    commands.incrby("{x}1", 2);
                    commands.hincrby("{x}h", "f", 1);
                    commands.exec();
                    written.incrementAndGet();
                  }
                }
              });
      load.start();
      for (int crash = 0; crash < 6; crash++) {
        long goal = written.get() + 300;
        rig.await("load", () -> written.get() >= goal);
        rig.agent.abandon();
        rig.start().awaitStreaming();
      }
      long goal = written.get() + 300;
      rig.await("load", () -> written.get() >= goal);
      loading.set(false);
      load.join();
      rig.awaitCaptured();

      List<ChangeEvent> events = rig.events();
      for (int key = 0; key < 7; key++) {
        String name = "n" + key;
        assertThat(CaptureRig.sum(rig.eventsOf(name)))
            .isEqualTo(Long.parseLong(rig.commands().get(name)));
      }
      assertThat(CaptureRig.sum(rig.eventsOf("{x}1")))
          .isEqualTo(Long.parseLong(rig.commands().get("{x}1")));
      // Each transaction's parts stand together.
      for (int i = 0; i < events.size(); i++) {
        var part = events.get(i).transaction();
        if (part != null && part.index() > 0) {
          var before = events.get(i - 1).transaction();
          assertThat(before)
              .isEqualTo(
                  new ChangeEvent.TransactionPart(part.id(), part.index() - 1, part.count()));
        }
      }
      assertThat(rig.agent.snapshot().fullResyncs()).isZero();
      assertThat(rig.agent.snapshot().captureEpoch()).isEqualTo(7);
    } finally {
      broker.close();
    }
  }
}
