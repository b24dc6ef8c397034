package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A capture process killed with {@code kill -9} under load loses nothing and doubles nothing. */
final class CaptureKillIT {
  private static final int KEYS = 5;
  private static final int KILLS = 5;

  @TempDir Path dir;

  @Test
  void killedUnderLoadTheCountersStayExact() throws Exception {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    Path output = dir.resolve("capture.log");
    AtomicBoolean loading = new AtomicBoolean(true);
    AtomicLong written = new AtomicLong();
    Process capture = null;
    try (CaptureRig rig = new CaptureRig(broker, "killed", dir)) {
      Thread load = new Thread(() -> load(rig, loading, written), "load");
      capture = CaptureProcess.start(rig.config, output);
      load.start();
      Random random = new Random(7);
      for (int kill = 0; kill < KILLS; kill++) {
        // At some moment after it has begun to follow: also while it is still catching up.
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> rig.commands().info("replication").contains("state=online"));
        long goal = written.get() + random.nextInt(400);
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> written.get() >= goal);
        capture.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        capture = CaptureProcess.start(rig.config, output);
      }
      loading.set(false);
      load.join();
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> rig.commands().waitForReplication(1, 500) == 1);
      capture.destroyForcibly().waitFor(10, TimeUnit.SECONDS);

      long total = 0;
      for (int key = 0; key < KEYS; key++) {
        long held = Long.parseLong(rig.commands().get("n" + key));
        assertThat(CaptureRig.sum(rig.eventsOf("n" + key)))
            .as("n%d, written to %s", key, Files.readString(output))
            .isEqualTo(held);
        total += held;
      }
      assertThat(total).isEqualTo(written.get() * 3);
    } finally {
      loading.set(false);
      if (capture != null) {
        capture.destroyForcibly();
      }
      broker.close();
    }
  }

  /** Each round adds three, in a transaction and outside. */
  private static void load(CaptureRig rig, AtomicBoolean loading, AtomicLong written) {
    try (StatefulRedisConnection<String, String> connection = rig.client.connect()) {
      RedisCommands<String, String> commands = connection.sync();
      for (long round = 0; loading.get(); round++) {
        commands.incr("n" + round % KEYS);
        commands.multi();
        commands.incr("n" + (round + 1) % KEYS);
        commands.incr("n" + (round + 2) % KEYS);
        commands.exec();
        written.incrementAndGet();
      }
    }
  }
}
