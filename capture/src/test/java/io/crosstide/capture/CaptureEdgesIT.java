package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.sandbox.kafka.BrokerConfig;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisBinary;
import io.lettuce.core.RedisFuture;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits, refusals and absences. */
final class CaptureEdgesIT {
  @TempDir Path dir;

  private static void awaitState(CaptureAgent agent, CaptureState state) {
    Awaitility.await().atMost(Duration.ofSeconds(40)).until(() -> agent.state() == state);
  }

  @Test
  void aValueOverTheLimitIsRefusedCountedAndHarmsNothingElse() {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    try (CaptureRig rig = new CaptureRig(broker, "oversize", dir)) {
      rig.config = rig.config.withEventBytesMax(1_000);
      rig.start().awaitStreaming();
      rig.commands().set("big", "x".repeat(5_000));
      rig.commands().hset("h", "f", "x".repeat(5_000));
      rig.commands().set("small", "s");
      rig.commands().set("big", "fits");
      rig.awaitCaptured();
      assertThat(rig.eventsOf("big"))
          .extracting(ChangeEvent::change)
          .containsExactly(new Change.StringSet(Bytes.utf8("fits"), 0, false));
      assertThat(rig.eventsOf("small")).hasSize(1);
      assertThat(rig.eventsOf("h")).isEmpty();
      rig.await(
          "counted",
          () ->
              rig.agent.snapshot().unsupported().keySet().stream()
                  .anyMatch(name -> name.startsWith("SET over")));
      assertThat(rig.agent.state()).isEqualTo(CaptureState.STREAMING);

      SimpleMeterRegistry meters = new SimpleMeterRegistry();
      CaptureMetrics.register(meters, rig.agent, "oversize");
      assertThat(meters.get("crosstide.capture.unsupported").functionCounter().count())
          .isEqualTo(2);
      assertThat(meters.get("crosstide.capture.up").gauge().value()).isEqualTo(1);
    } finally {
      broker.close();
    }
  }

  @Test
  void kafkaMayComeLaterThanCapture() {
    EmbeddedBroker broker = new EmbeddedBroker(BrokerConfig.onFreePorts(1, dir.resolve("kafka")));
    try (CaptureRig rig = new CaptureRig(broker, "early", dir)) {
      rig.start();
      awaitState(rig.agent, CaptureState.DISCONNECTED);
      broker.start();
      rig.awaitStreaming();
      rig.commands().set("k", "v");
      rig.awaitCaptured();
      assertThat(rig.eventsOf("k")).hasSize(1);
    } finally {
      broker.close();
    }
  }

  @Test
  void anOutageOfKafkaFillsTheBoundAndNotTheMemory() throws Exception {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    EmbeddedBroker again = null;
    try (CaptureRig rig = new CaptureRig(broker, "outage", dir)) {
      rig.config = rig.config.withInFlight(1 << 20, 1_000);
      rig.start().awaitStreaming();
      broker.close();
      RedisFuture<Long> last = rig.connection.async().incr("n");
      for (int i = 1; i < 20_000; i++) {
        last = rig.connection.async().incr("n");
      }
      assertThat(last.get(20, TimeUnit.SECONDS)).isEqualTo(20_000);
      // Reading stands still: at the bound, or earlier, while the producer looks for a broker.
      Awaitility.await()
          .during(Duration.ofSeconds(1))
          .atMost(Duration.ofSeconds(20))
          .until(() -> rig.agent.snapshot().inFlightRecords() > 0);
      assertThat(rig.agent.snapshot().inFlightRecords()).isLessThanOrEqualTo(1_000);
      assertThat(rig.commands().waitForReplication(1, 100)).isZero();
      again = new EmbeddedBroker(broker.config()).start();
      rig.awaitCaptured();
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(20_000);
      rig.agent.close();
    } finally {
      if (again != null) {
        again.close();
      }
    }
  }

  @Test
  void aRedisWithPasswordsLetsOnlyTheRightOneIn() {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    try (CaptureRig rig = new CaptureRig(broker, "locked", dir)) {
      rig.commands()
          .aclSetuser(
              "cap",
              io.lettuce.core.AclSetuserArgs.Builder.on()
                  .addPassword("s3cret")
                  .allKeys()
                  .allCommands());
      rig.commands().configSet("requirepass", "other");
      int port = rig.redis.port();
      CaptureConfig config = rig.config;
      rig.config = withRedis(config, new RedisEndpoint("127.0.0.1", port, "cap", "wrong", false));
      rig.start();
      awaitState(rig.agent, CaptureState.DISCONNECTED);
      Awaitility.await().until(() -> rig.agent.sentence().contains("refuses the login of cap"));
      assertThat(rig.agent.sentence()).doesNotContain("wrong");
      rig.agent.close();

      rig.config = withRedis(config, new RedisEndpoint("127.0.0.1", port, "cap", "s3cret", false));
      rig.start().awaitStreaming();
      rig.commands().set("k", "v");
      rig.awaitCaptured();
      assertThat(rig.eventsOf("k")).hasSize(1);
      rig.await("beacon", () -> rig.agent.snapshot().lagMillis() > 0);
    } finally {
      broker.close();
    }
  }

  @Test
  void redis62IsFollowedJustTheSame() {
    EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir.resolve("kafka"));
    try (CaptureRig rig =
        new CaptureRig(broker, "older", dir, RedisBinary.embedded(dir.resolve("bin")), false)) {
      rig.commands().set("before", "v");
      rig.commands().zadd("z", Double.NEGATIVE_INFINITY, "m");
      rig.start().awaitStreaming();
      rig.commands().multi();
      rig.commands().incr("n");
      rig.commands().incr("n");
      rig.commands().exec();
      assertThat(rig.commands().waitForReplication(1, 5_000)).isEqualTo(1);
      rig.agent.close();
      rig.commands().incr("n");
      rig.start().awaitStreaming();
      rig.awaitCaptured();
      assertThat(rig.eventsOf("before")).hasSize(1);
      assertThat(rig.eventsOf("z"))
          .extracting(ChangeEvent::change)
          .containsExactly(new Change.ZsetPut(Bytes.utf8("m"), Double.NEGATIVE_INFINITY));
      assertThat(CaptureRig.sum(rig.eventsOf("n"))).isEqualTo(3);
      assertThat(rig.agent.snapshot().fullResyncs()).isZero();
    } finally {
      broker.close();
    }
  }

  private static CaptureConfig withRedis(CaptureConfig config, RedisEndpoint redis) {
    return CaptureConfig.of(
        config.region(),
        config.regionId(),
        redis,
        config.kafka(),
        config.partitions(),
        config.dataDir());
  }
}
