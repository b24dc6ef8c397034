package io.crosstide.streams.sent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.SentBatch;
import io.crosstide.streams.owner.OwnerWire;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RememberingWireTest {
  private static final int PARTITION = 2;

  private final MockProducer<byte[], byte[]> producer =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final SentEffectsTopic topic = new SentEffectsTopic("us", producer);
  private final Redis redis = new Redis();
  private final Owner owner = new Owner();
  private int wakeUps;
  private long now = 1_000_000;
  private final RememberingWire wire =
      new RememberingWire(
          topic, (wakeUp, routine) -> redis, () -> wakeUps++, () -> wakeUps++, () -> now);

  /** What reaches Redis, as text; and what is to be answered. */
  private static final class Redis implements OwnerWire {
    final List<String> received = new ArrayList<>();
    final Deque<Consumer<Listener>> answers = new ArrayDeque<>();

    @Override
    public void send(EffectBatch batch) {
      received.add(batch.epoch() + ":" + batch.first() + ".." + batch.last());
    }

    @Override
    public void takeOver(int partition, int epoch, Fx least, String token) {
      received.add("take over " + epoch);
    }

    @Override
    public void install(int partition, MarkerState marker, String token) {
      received.add("install " + marker.epoch());
    }

    @Override
    public boolean drain(Listener listener) {
      boolean any = !answers.isEmpty();
      while (!answers.isEmpty()) {
        answers.removeFirst().accept(listener);
      }
      return any;
    }

    @Override
    public boolean hasEvents() {
      return !answers.isEmpty();
    }

    @Override
    public void close() {
      received.add("closed");
    }
  }

  private static final class Owner implements EffectWire.Listener {
    final List<String> heard = new ArrayList<>();

    @Override
    public void onConnected() {
      heard.add("connected");
    }

    @Override
    public void onDisconnected() {
      heard.add("disconnected");
    }

    @Override
    public void onReply(EffectBatch batch, BatchReply reply) {
      heard.add("reply " + batch.first());
    }

    @Override
    public void onRefused(EffectBatch batch, String error) {
      heard.add(error);
    }

    @Override
    public void onMarker(int partition, @Nullable MarkerState marker) {
      heard.add("marker");
    }

    @Override
    public void onMarkerRefused(int partition, String error) {
      heard.add(error);
    }
  }

  private static EffectBatch batch(int epoch, long first, int size) {
    List<Effect> effects = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      effects.add(new Effect.Noop());
    }
    return new EffectBatch(
        PARTITION,
        epoch,
        first,
        new Fx(1, 99),
        HybridTimestamp.ZERO,
        List.of(new EffectBatch.Group(VersionVector.EMPTY, effects)));
  }

  private void answer(Consumer<EffectWire.Listener> answer) {
    redis.answers.add(answer);
    wire.drain(owner);
  }

  @BeforeEach
  void connect() {
    answer(EffectWire.Listener::onConnected);
  }

  @Test
  void aBatchWaitsUntilItIsRemembered() {
    wire.send(batch(7, 1, 3));
    assertThat(redis.received).isEmpty();
    SentBatch remembered = SentBatch.decode(producer.history().get(0).value());
    assertThat(remembered.last()).isEqualTo(3);
    assertThat(remembered.preceding()).isEqualTo(new Fx(1, 99));
    assertThat(producer.history().get(0).partition()).isEqualTo(PARTITION);
    assertThat(producer.history().get(0).topic()).isEqualTo("sent-effects.us");

    producer.completeNext();
    assertThat(redis.received).containsExactly("7:1..3");
  }

  @Test
  void callsKeepTheirOrder() {
    wire.takeOver(PARTITION, 7, Fx.NONE, "t");
    wire.send(batch(7, 1, 3));
    wire.send(batch(7, 4, 1));
    wire.install(PARTITION, MarkerState.initial(8), "t");
    assertThat(redis.received).containsExactly("take over 7");

    producer.completeNext();
    assertThat(redis.received).containsExactly("take over 7", "7:1..3");
    producer.completeNext();
    assertThat(redis.received).containsExactly("take over 7", "7:1..3", "7:4..4", "install 8");
  }

  @Test
  void aBatchSentAgainIsNotRememberedTwice() {
    wire.send(batch(7, 1, 3));
    producer.completeNext();
    wire.send(batch(7, 1, 3));
    assertThat(redis.received).containsExactly("7:1..3", "7:1..3");
    assertThat(producer.history()).hasSize(1);
  }

  @Test
  void aBatchSentAgainBeforeItIsRememberedGoesOnce() {
    wire.send(batch(7, 1, 3));
    answer(EffectWire.Listener::onDisconnected);
    wire.send(batch(7, 1, 3));
    answer(EffectWire.Listener::onConnected);
    wire.send(batch(7, 1, 3));
    assertThat(producer.history()).hasSize(1);
    assertThat(redis.received).isEmpty();

    producer.completeNext();
    assertThat(redis.received).containsExactly("7:1..3");
  }

  @Test
  void whatWaitedWhenTheConnectionWentDoesNotReachTheNext() {
    wire.send(batch(7, 1, 3));
    answer(EffectWire.Listener::onDisconnected);
    answer(EffectWire.Listener::onConnected);
    producer.completeNext();
    assertThat(redis.received).isEmpty();
    assertThat(owner.heard).containsExactly("connected", "disconnected", "connected");
  }

  @Test
  void nothingIsSentOrRememberedWhileDisconnected() {
    answer(EffectWire.Listener::onDisconnected);
    wire.takeOver(PARTITION, 8, Fx.NONE, "t");
    wire.send(batch(7, 1, 3));
    assertThat(producer.history()).isEmpty();
    assertThat(redis.received).isEmpty();
  }

  @Test
  void aNewEpochIsRememberedFromItsFirstBatch() {
    wire.send(batch(7, 1, 3));
    wire.send(batch(8, 1, 2));
    producer.completeNext();
    producer.completeNext();
    assertThat(producer.history()).hasSize(2);
    assertThat(redis.received).last().isEqualTo("8:1..2");
  }

  @Test
  void aBatchThatKafkaRefusesStopsTheOwner() {
    wire.send(batch(7, 1, 3));
    producer.errorNext(new TopicAuthorizationException("sent-effects.us"));
    assertThat(wakeUps).isPositive();
    assertThat(wire.hasEvents()).isTrue();
    assertThatThrownBy(() -> wire.drain(owner))
        .isInstanceOf(KafkaException.class)
        .hasMessageContaining("could not be remembered")
        .hasRootCauseInstanceOf(TopicAuthorizationException.class);
    assertThat(redis.received).isEmpty();
  }

  @Test
  void onlyWhatTheLogHasShownAndIsOldIsReleased() {
    wire.send(batch(7, 1, 3));
    producer.completeNext();
    wire.shown(new Fx(7, 3));
    assertThat(topic.hasReleased()).as("too young").isFalse();

    now += SentEffectsTopic.KEEP.toMillis();
    wire.shown(new Fx(7, 2));
    assertThat(topic.hasReleased()).as("capture has not passed it").isFalse();
    wire.shown(new Fx(7, 3));
    assertThat(topic.hasReleased()).isTrue();
  }
}
