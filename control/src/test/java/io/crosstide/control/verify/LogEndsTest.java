package io.crosstide.control.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.io.IOException;
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

class LogEndsTest {
  private static final TopicPartition LOG = new TopicPartition("changes.us", 0);
  private static final Origin US = Origin.of(1);

  private final Log log = new Log();
  private final LogEnds ends = new LogEnds("us", log, 1);

  private long end(int captureEpoch) throws IOException {
    List<VersionVector> read = ends.read(captureEpoch);
    assertThat(read).hasSize(1);
    return read.get(0).get(US);
  }

  @Test
  void anEmptyLogEndsAtZero() throws IOException {
    assertThat(end(0)).isZero();
    assertThat(end(3)).isZero();
  }

  @Test
  void whatAReplacedCaptureStillAppendedDoesNotCount() throws IOException {
    log.events(1, 1, 900);
    log.events(2, 901, 910);
    log.events(1, 901, 1_500);
    assertThat(end(2)).isEqualTo(910);
  }

  /** A log that gives its records again whenever it is read again. */
  private static final class Log extends MockConsumer<byte[], byte[]> {
    private final List<EventHeader> headers = new ArrayList<>();

    Log() {
      super("earliest");
      updateBeginningOffsets(Map.of(LOG, 0L));
      updateEndOffsets(Map.of(LOG, 0L));
    }

    void events(int captureEpoch, long first, long last) {
      for (long seq = first; seq <= last; seq++) {
        headers.add(
            new EventHeader(1, US.packed(), seq, seq - 1, captureEpoch, HybridTimestamp.ZERO, 0));
      }
      updateEndOffsets(Map.of(LOG, (long) headers.size()));
    }

    @Override
    public synchronized void seek(TopicPartition partition, long offset) {
      super.seek(partition, offset);
      for (int at = (int) offset; at < headers.size(); at++) {
        addRecord(
            new ConsumerRecord<>(
                LOG.topic(),
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
