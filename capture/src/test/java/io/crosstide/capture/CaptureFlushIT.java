package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.command.FlushPolicy;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A flush that is to be decided by an operator. */
final class CaptureFlushIT {
  @TempDir Path dir;

  @Test
  void captureStopsBeforeAFlushAndGoesOnAsItIsTold() {
    try (EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
        CaptureRig rig = new CaptureRig(broker, "flushed", dir)) {
      rig.config = rig.config.withFlush(FlushPolicy.HALT);
      rig.start().awaitStreaming();
      rig.commands().set("{t}a", "v");
      rig.commands().flushall();
      rig.commands().set("{t}b", "v");
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> rig.agent.state() == CaptureState.FAILED);
      assertThat(rig.agent.sentence())
          .contains("FLUSHALL", "policies.flush", "start capture again");
      assertThat(rig.events()).hasSize(1);

      rig.agent.close();
      rig.config = rig.config.withFlush(FlushPolicy.REPLICATE);
      rig.start().awaitStreaming();
      rig.awaitCaptured();
      assertThat(rig.events().stream().map(ChangeEvent::change))
          .satisfies(changes -> assertThat(changes.get(1)).isInstanceOf(Change.KeyDelete.class))
          .hasSize(3);
    }
  }
}
