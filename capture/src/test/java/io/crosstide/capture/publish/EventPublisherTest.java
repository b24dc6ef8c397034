package io.crosstide.capture.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EventLog;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class EventPublisherTest {
  private static final String TOPIC = "changes.us";
  private static final int IN_FLIGHT_MAX = 4;

  private final MockProducer<byte[], byte[]> kafka =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final ChangeEventCodec codec = new ChangeEventCodec(new InMemorySchemaRegistry(), TOPIC);
  private final AckWatermark watermark = new AckWatermark(() -> {});
  private final EventPublisher publisher =
      new EventPublisher(kafka, codec, TOPIC, watermark, 1 << 20, IN_FLIGHT_MAX);
  private final EventLog log = new EventLog(1);
  private long units;

  @BeforeEach
  void register() {
    codec.register();
  }

  /** One event that is a unit of its own, ending at ten times its number. */
  private void publish() {
    Change change = new Change.StringSet(Bytes.utf8("v"), 0, false);
    publisher.publish(0, log.write(RedisKey.of(0, "k"), change, VersionVector.EMPTY, 1_000));
    units++;
    publisher.endUnit(units, 10 * units);
  }

  @Test
  void whatIsAcknowledgedInOrderIsDurable() {
    publish();
    publish();
    assertThat(watermark.offset()).isZero();
    kafka.completeNext();
    assertThat(watermark.offset()).isEqualTo(10);
    kafka.completeNext();
    assertThat(watermark.offset()).isEqualTo(20);
    assertThat(publisher.acknowledged()).isEqualTo(2);
    assertThat(publisher.inFlightRecords()).isZero();
    assertThat(publisher.inFlightBytes()).isZero();
  }

  @Test
  void behindARefusedEventNothingIsPublishedAndNothingIsDurable() {
    publish();
    publish();
    publish();
    kafka.completeNext();
    kafka.errorNext(new RecordTooLargeException("too large"));
    assertThat(kafka.closed()).as("what is queued behind it is dropped").isTrue();
    assertThat(watermark.offset()).isEqualTo(10);
    assertThat(publisher.failure()).hasMessageContaining("refused an event for " + TOPIC);
    int sent = kafka.history().size();
    assertThatThrownBy(this::publish)
        .isInstanceOf(PublishException.class)
        .hasMessageContaining("too large");
    assertThat(kafka.history()).hasSize(sent);
  }

  @Test
  void theFirstRefusalIsTheOneThatIsTold() {
    publish();
    publish();
    kafka.errorNext(new TopicAuthorizationException("no right to write"));
    kafka.errorNext(new RecordTooLargeException("too large"));
    assertThat(publisher.failure()).hasMessageContaining("no right to write");
  }

  @Test
  void aRefusalEndsTheWaitForRoom() throws Exception {
    AtomicReference<Throwable> ended = new AtomicReference<>();
    Thread reader =
        new Thread(
            () -> {
              for (int i = 0; i <= IN_FLIGHT_MAX; i++) {
                publish();
              }
            });
    reader.setUncaughtExceptionHandler((thread, error) -> ended.set(error));
    reader.start();
    await().until(() -> reader.getState() == Thread.State.WAITING);
    assertThat(kafka.history()).hasSize(IN_FLIGHT_MAX);
    kafka.errorNext(new RecordTooLargeException("too large"));
    reader.join(20_000);
    assertThat(ended.get()).isInstanceOf(PublishException.class);
    assertThat(kafka.history()).hasSize(IN_FLIGHT_MAX);
  }

  /** As the real one: closing waits for the sender's thread, which tells of what it drops. */
  private static final class JoiningProducer extends MockProducer<byte[], byte[]> {
    volatile boolean dropped;

    JoiningProducer() {
      super(false, null, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public void close(Duration timeout) {
      Thread sender = new Thread(() -> errorNext(new KafkaException("dropped")), "sender");
      sender.start();
      try {
        sender.join();
        dropped = true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  @Timeout(30)
  void aCaptureThatIsTakenOverStopsAlthoughRecordsAreInFlight() {
    JoiningProducer joining = new JoiningProducer();
    AckWatermark durable = new AckWatermark(() -> {});
    EventPublisher taken = new EventPublisher(joining, codec, TOPIC, durable, 1 << 20, 10);
    Change change = new Change.StringSet(Bytes.utf8("v"), 0, false);
    for (int unit = 1; unit <= 4; unit++) {
      taken.publish(0, log.write(RedisKey.of(0, "k"), change, VersionVector.EMPTY, 1_000));
      taken.endUnit(unit, 10L * unit);
    }
    joining.completeNext();
    joining.completeNext();
    // The next record stands at offset 2: somebody else's are taken to be at 0 and 1.
    taken.watchOrder(1, new long[] {-1}, (partition, from, to) -> 2);
    joining.completeNext();
    await().until(() -> joining.dropped);
    await().until(() -> taken.failure() != null);
    assertThat(taken.failure()).hasMessageContaining("Another capture has taken over");
    assertThat(durable.offset()).isEqualTo(20);
  }
}
