package io.crosstide.streams.thread;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class WakeableClientsTest {
  private static final TopicPartition A = new TopicPartition("changes.a", 0);
  private static final TopicPartition B = new TopicPartition("changes.b", 0);
  private static final byte[] KEY = new byte[10];
  private static final byte[] VALUE = new byte[50];
  private static final long BYTES_MAX = 100;

  private final List<String> calls = new ArrayList<>();
  private final MockConsumer<byte[], byte[]> kafka =
      new MockConsumer<>("earliest") {
        @Override
        public synchronized void resume(Collection<TopicPartition> partitions) {
          partitions.stream().map(tp -> "resume " + tp).sorted().forEach(calls::add);
          super.resume(partitions);
        }
      };
  private final WakeableClients clients =
      new WakeableClients("changes.own", config -> kafka, () -> new ThreadWaker(BYTES_MAX));
  private final Consumer<byte[], byte[]> consumer = clients.getConsumer(Map.of());
  private long offset;

  WakeableClientsTest() {
    kafka.assign(Set.of(A, B));
    kafka.updateBeginningOffsets(Map.of(A, 0L, B, 0L));
    kafka.seekToBeginning(Set.of(A, B));
  }

  private void written(TopicPartition tp) {
    kafka.addRecord(new ConsumerRecord<>(tp.topic(), tp.partition(), offset++, KEY, VALUE));
  }

  private int poll() {
    return consumer.poll(Duration.ZERO).count();
  }

  private void process() {
    clients.ofCurrentThread().processing(KEY, VALUE);
  }

  @Test
  void nothingIsReadWhileTooMuchIsUnprocessed() {
    written(A);
    written(A);
    written(A);
    assertThat(poll()).isEqualTo(3); // 180 bytes: what one poll brings is not cut
    written(A);
    process();
    assertThat(poll()).isZero();
    process();
    assertThat(poll()).isEqualTo(1);
  }

  @Test
  void whatCameWhileTheThreadRestedIsReadWithWhatCameBefore() {
    written(A);
    assertThat(poll()).isEqualTo(1);
    process();
    kafka.schedulePollTask(() -> written(A));
    kafka.schedulePollTask(() -> written(B));
    assertThat(consumer.poll(Duration.ofMillis(40)).count()).isEqualTo(2);
  }

  @Test
  void butNotBeyondWhatMayBeUnprocessed() {
    written(A);
    assertThat(poll()).isEqualTo(1);
    kafka.schedulePollTask(() -> written(A));
    kafka.schedulePollTask(() -> written(B));
    assertThat(consumer.poll(Duration.ofMillis(40)).count()).isEqualTo(1); // 120 bytes
    process();
    process();
    assertThat(poll()).isEqualTo(1);
  }

  @Test
  void recordsThatAreNeverProcessedHoldNothingUp() {
    written(A);
    written(A);
    assertThat(poll()).isEqualTo(2);
    written(A);
    process();
    written(A);
    assertThat(poll()).isEqualTo(2); // 180 bytes by the count
    written(A);
    process();
    assertThat(poll()).isZero();
    // A round without processing: Streams has dropped the others.
    assertThat(poll()).isEqualTo(1);
  }

  @Test
  void aSeekMeansThatStreamsHasDroppedWhatItHad() {
    written(A);
    written(A);
    assertThat(poll()).isEqualTo(2);
    process();
    written(B);
    clients.ofCurrentThread().handedOver().read(recordsOf(VALUE.length * 4));
    consumer.seek(B, 0);
    assertThat(poll()).isEqualTo(1);
  }

  @Test
  void onlyWhatFlowedFlowsAfterwards() {
    written(A);
    written(A);
    assertThat(poll()).isEqualTo(2);
    clients.ofCurrentThread().handedOver().read(recordsOf(1_000));
    process();
    consumer.pause(Set.of(B));
    assertThat(poll()).isZero();
    assertThat(calls).containsExactly("resume " + A);
    assertThat(kafka.paused()).containsExactly(B);
  }

  @Test
  void whatStreamsPausesMeanwhileStaysPaused() {
    written(A);
    assertThat(poll()).isEqualTo(1);
    clients.ofCurrentThread().handedOver().read(recordsOf(1_000));
    process();
    kafka.schedulePollTask(() -> consumer.pause(Set.of(A)));
    assertThat(poll()).isZero();
    assertThat(kafka.paused()).containsExactly(A);
  }

  private static ConsumerRecords<byte[], byte[]> recordsOf(int bytes) {
    return new ConsumerRecords<>(
        Map.of(A, List.of(new ConsumerRecord<>(A.topic(), 0, 0, KEY, new byte[bytes]))), Map.of());
  }
}
