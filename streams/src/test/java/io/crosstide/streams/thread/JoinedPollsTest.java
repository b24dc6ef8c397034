package io.crosstide.streams.thread;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

final class JoinedPollsTest {
  private static final TopicPartition A = new TopicPartition("changes.a", 0);
  private static final TopicPartition B = new TopicPartition("changes.b", 0);

  private static List<ConsumerRecord<byte[], byte[]>> records(TopicPartition tp, long... offsets) {
    return Arrays.stream(offsets)
        .mapToObj(
            offset ->
                new ConsumerRecord<>(
                    tp.topic(), tp.partition(), offset, new byte[] {1}, new byte[] {2}))
        .toList();
  }

  private static ConsumerRecords<byte[], byte[]> polled(
      Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records) {
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
    records.forEach(
        (tp, some) -> next.put(tp, new OffsetAndMetadata(some.get(some.size() - 1).offset() + 1)));
    return new ConsumerRecords<>(records, next);
  }

  @Test
  void twoPollsAreReadAsOneInOrder() {
    ConsumerRecords<byte[], byte[]> joined =
        WakeableClients.join(
            polled(Map.of(A, records(A, 3, 4))),
            polled(Map.of(A, records(A, 5, 7), B, records(B, 0))));

    assertThat(joined.count()).isEqualTo(5);
    assertThat(joined.records(A))
        .extracting(ConsumerRecord::offset)
        .containsExactly(3L, 4L, 5L, 7L);
    assertThat(joined.records(B)).extracting(ConsumerRecord::offset).containsExactly(0L);
    assertThat(joined.nextOffsets())
        .containsEntry(A, new OffsetAndMetadata(8))
        .containsEntry(B, new OffsetAndMetadata(1));
  }

  @Test
  void aSecondPollWithoutRecordsStillSaysHowFarItWent() {
    // Behind the last record there may be a transaction's marker.
    ConsumerRecords<byte[], byte[]> joined =
        WakeableClients.join(
            polled(Map.of(A, records(A, 3))),
            new ConsumerRecords<>(Map.of(), Map.of(A, new OffsetAndMetadata(5))));

    assertThat(joined.records(A)).extracting(ConsumerRecord::offset).containsExactly(3L);
    assertThat(joined.nextOffsets()).containsEntry(A, new OffsetAndMetadata(5));
  }
}
