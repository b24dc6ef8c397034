package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.rdb.KafkaSentEffects;
import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Effects that Redis applied while capture was away are never published as local writes (P7). */
final class CaptureSentEffectsIT {
  private static final Duration SOON = Duration.ofSeconds(20);

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

  private static SentEffects remembered(CaptureRig rig) {
    return new KafkaSentEffects(rig.config.kafka(), FakeOwner.topic(rig));
  }

  private static Effect add(String key, long delta) {
    return new Effect.Add(Element.string(RedisKey.of(0, key)), delta, Fx.NONE);
  }

  private static Effect put(String key, Content expected, Content desired) {
    return new Effect.Put(Element.string(RedisKey.of(0, key)), expected, desired, Fx.NONE);
  }

  private static Element field(String key, int field) {
    return new Element(
        RedisKey.of(0, key), ElementKind.HASH_FIELD, io.crosstide.crdt.Bytes.utf8("f" + field));
  }

  private static void restartRedis(CaptureRig rig) {
    rig.redis.kill9();
    rig.redis.start();
    rig.redis.awaitReady(SOON);
  }

  @Test
  void aRestartOfRedisRepublishesNoEffect() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "remembered", dir, true)) {
      FakeOwner.createTopic(rig);
      try (FakeOwner owner = new FakeOwner(rig, 2)) {
        String n = owner.key("n");
        String text = owner.key("text");
        String large = owner.key("large");
        Content longValue = Content.utf8("v".repeat(5_000));
        rig.start(remembered(rig)).awaitStreaming();
        rig.commands().incrby(n, 10);
        owner.batch(List.of(add(n, 100), put(text, Content.ABSENT, Content.utf8("one"))));
        rig.awaitCaptured();
        rig.agent.abandon();

        // Nobody looks. An owner dies with a batch that it has not sent; another goes on.
        rig.commands().incrby(n, 20);
        owner.batch(List.of(add(n, 200), put(text, Content.utf8("one"), Content.utf8("two"))));
        owner.rememberOnly(add(n, 5_000)).get();
        owner.takeOver(4);
        owner.takeOver(7);
        owner.batch(List.of(add(n, 300), put(large, Content.ABSENT, longValue)));
        restartRedis(rig);
        // The owner is faster than capture.
        owner.batch(List.of(add(n, 400), put(text, Content.utf8("two"), Content.utf8("three"))));
        rig.commands().incrby(n, 30);

        rig.start(remembered(rig)).awaitStreaming();
        rig.awaitCaptured();
        assertThat(rig.commands().get(n)).isEqualTo("1060");
        assertThat(CaptureRig.sum(rig.eventsOf(n))).isEqualTo(60);
        assertThat(rig.eventsOf(text)).isEmpty();
        assertThat(rig.eventsOf(large)).isEmpty();
        ChangeEvent difference = rig.eventsOf(n).get(1);
        assertThat(difference.fx()).isEqualTo(new Fx(7, 4));
        assertThat(difference.context().encode())
            .isEqualTo(rig.commands().hget(MarkerState.key(2), "c"));
      }
    }
  }

  /** Many effects, and a capture that dies again and again on its way through them. */
  @Test
  void aCaptureThatDiesOnTheWayFoldsNothingTwice() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "midways", dir, true)) {
      FakeOwner.createTopic(rig);
      try (FakeOwner owner = new FakeOwner(rig, 1)) {
        String n = owner.key("n");
        String h = owner.key("h");
        rig.start(remembered(rig)).awaitStreaming();
        rig.awaitCaptured();
        rig.agent.abandon();
        for (int batch = 0; batch < 200; batch++) {
          List<Effect> effects = new ArrayList<>();
          for (int field = 0; field < 99; field++) {
            Content before = batch == 0 ? Content.ABSENT : Content.utf8("" + (batch - 1));
            effects.add(new Effect.Put(field(h, field), before, Content.utf8("" + batch), Fx.NONE));
          }
          effects.add(add(n, 1));
          owner.batch(effects);
        }
        Map<String, String> local = new java.util.HashMap<>();
        for (int i = 0; i < 6_000; i++) {
          local.put("local" + i, "v");
        }
        rig.commands().hset(owner.key("mine"), local);
        rig.commands().incrby(n, 7);
        restartRedis(rig);

        for (int crash = 1; crash <= 4; crash++) {
          long some = crash * 700L;
          rig.start(remembered(rig));
          rig.await("some published", () -> rig.agent.snapshot().eventsCaptured() > some / 4);
          rig.agent.abandon();
        }
        rig.start(remembered(rig)).awaitStreaming();
        rig.awaitCaptured();
        assertThat(CaptureRig.sum(rig.eventsOf(n))).isEqualTo(7);
        assertThat(rig.eventsOf(h)).isEmpty();
        assertThat(rig.eventsOf(owner.key("mine"))).hasSize(6_000);
      }
    }
  }

  @Test
  void effectsThatAreNotThereStopItAndSayWhatToDo() throws Exception {
    try (CaptureRig rig = new CaptureRig(broker, "forgotten", dir, true)) {
      try (FakeOwner owner = new FakeOwner(rig, 0)) {
        rig.start(remembered(rig)).awaitStreaming();
        rig.awaitCaptured();
        rig.agent.close();
        FakeOwner.createTopic(rig);
        owner.takeOver(2);
        owner.batch(List.of(add(owner.key("n"), 1)));
        // As if its beginning had been deleted too early.
        owner.takeOver(3);
        owner.batch(List.of(add(owner.key("n"), 1)));
        rig.commands().hset(MarkerState.key(0), Map.of("e", "9", "f", "9:4", "b", "8:3"));
        restartRedis(rig);
        rig.start(remembered(rig));
        Awaitility.await().atMost(SOON).until(() -> rig.agent.state() == CaptureState.FAILED);
        assertThat(rig.agent.sentence())
            .contains("no effect of epoch 9 is remembered")
            .contains("publish-differences");
        assertThat(rig.events()).isEmpty();
      }
    }
  }

  /** Stamps only choose among concurrent writes; one that saw another is to be later (P28). */
  @Test
  void aWriteMadeAfterARemoteOneWasVisibleIsLater() {
    try (CaptureRig rig = new CaptureRig(broker, "stamps", dir).start().awaitStreaming()) {
      HybridTimestamp ahead = HybridTimestamp.of(System.currentTimeMillis() + 5_000, 3);
      rig.commands()
          .hset(
              MarkerState.key(3),
              Map.of(
                  "e",
                  "1",
                  "f",
                  "1:1",
                  "b",
                  "0:0",
                  "c",
                  VersionVector.EMPTY.encode(),
                  "k",
                  "0",
                  "h",
                  "" + ahead.packed()));
      rig.commands().set("k", "v");
      rig.awaitCaptured();
      ChangeEvent local = rig.eventsOf("k").get(0);
      assertThat(local.change()).isInstanceOf(Change.StringSet.class);
      assertThat(local.stamp()).isGreaterThan(ahead);
    }
  }
}
