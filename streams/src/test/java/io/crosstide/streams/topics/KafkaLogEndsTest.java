package io.crosstide.streams.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.merge.PartitionMerger.Received;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class KafkaLogEndsTest {
  private static final String TOPIC = "changes.us";
  private static final TopicPartition LOG = new TopicPartition(TOPIC, 0);
  private static final Origin US = Origin.of(1);
  private static final int SET = 1;
  private static final int CONTROL = -1;
  private static final Received NOTHING = new Received(0, 0);

  private final Log log = new Log();
  private final KafkaLogEnds ends = new KafkaLogEnds(() -> log, TOPIC, US);

  @Test
  void anEmptyLogEndsAtZero() {
    assertThat(ends.lastSeq(0, NOTHING)).isZero();
  }

  @Test
  void whatAFencedCaptureStillAppendedDoesNotCount() {
    log.events(1, 1, 100);
    log.append(2, CONTROL, 100);
    log.events(2, 101, 103);
    log.events(1, 101, 120);
    assertThat(ends.lastSeq(0, NOTHING)).isEqualTo(103);
    assertThat(ends.lastSeq(0, new Received(90, 1))).isEqualTo(103);
  }

  @Test
  void aLongLogIsReadNoFurtherBackThanIsKnown() {
    log.events(1, 1, 50_000);
    assertThat(ends.lastSeq(0, new Received(49_900, 1))).isEqualTo(50_000);
    assertThat(log.from).isEqualTo(50_000 - 500);
  }

  @Test
  void anotherRegionsLogIsRefused() {
    log.append(new EventHeader(SET, Origin.of(2).packed(), 1, 0, 1, HybridTimestamp.ZERO, 0));
    assertThatThrownBy(() -> ends.lastSeq(0, NOTHING))
        .isInstanceOf(TopicMismatchException.class)
        .hasMessageContaining("check the region's id");
  }

  /** A log that gives its records again whenever it is read again. */
  private static final class Log extends MockConsumer<byte[], byte[]> {
    private final List<EventHeader> headers = new ArrayList<>();
    private long from;

    Log() {
      super("earliest");
      updateBeginningOffsets(Map.of(LOG, 0L));
      updateEndOffsets(Map.of(LOG, 0L));
    }

    void events(int captureEpoch, long first, long last) {
      for (long seq = first; seq <= last; seq++) {
        append(captureEpoch, SET, seq);
      }
    }

    void append(int captureEpoch, int kind, long seq) {
      append(
          new EventHeader(
              kind,
              US.packed(),
              seq,
              kind < 0 ? seq : seq - 1,
              captureEpoch,
              HybridTimestamp.ZERO,
              0));
    }

    void append(EventHeader header) {
      headers.add(header);
      updateEndOffsets(Map.of(LOG, (long) headers.size()));
    }

    @Override
    public synchronized void seek(TopicPartition partition, long offset) {
      super.seek(partition, offset);
      from = offset;
      for (int at = (int) offset; at < headers.size(); at++) {
        addRecord(
            new ConsumerRecord<>(
                TOPIC,
                0,
                at,
                0,
                TimestampType.CREATE_TIME,
                0,
                10,
                new byte[0],
                new byte[10],
                new RecordHeaders(List.of(Headers.toHeader(headers.get(at)))),
                Optional.empty()));
      }
    }
  }
}
