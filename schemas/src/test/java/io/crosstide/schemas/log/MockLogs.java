package io.crosstide.schemas.log;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** Partitions of one region's log that give their records again whenever they are read again. */
final class MockLogs extends MockConsumer<byte[], byte[]> {
  static final String TOPIC = "changes.us";
  static final Origin US = Origin.of(1);

  private static final int SET = 1;
  private static final int CONTROL = -1;

  private final Map<Integer, List<EventHeader>> logs = new HashMap<>();
  private final Map<Integer, Long> froms = new HashMap<>();

  MockLogs(int partitions) {
    super("earliest");
    for (int partition = 0; partition < partitions; partition++) {
      logs.put(partition, new ArrayList<>());
      updateBeginningOffsets(Map.of(log(partition), 0L));
      updateEndOffsets(Map.of(log(partition), 0L));
    }
  }

  static TopicPartition log(int partition) {
    return new TopicPartition(TOPIC, partition);
  }

  /** One event each from {@code first} to {@code last}. */
  void events(int partition, int captureEpoch, long first, long last) {
    for (long seq = first; seq <= last; seq++) {
      append(partition, captureEpoch, SET, seq);
    }
  }

  /** A beat or a fence. */
  void control(int partition, int captureEpoch, long seq) {
    append(partition, captureEpoch, CONTROL, seq);
  }

  private void append(int partition, int captureEpoch, int kind, long seq) {
    List<EventHeader> records = Objects.requireNonNull(logs.get(partition));
    long previous = kind < 0 ? seq : seq - 1;
    records.add(
        new EventHeader(kind, US.packed(), seq, previous, captureEpoch, HybridTimestamp.ZERO, 0));
    updateEndOffsets(Map.of(log(partition), (long) records.size()));
  }

  /** Where the partition was last read from. */
  long from(int partition) {
    return froms.getOrDefault(partition, -1L);
  }

  @Override
  public synchronized void seek(TopicPartition log, long offset) {
    super.seek(log, offset);
    froms.put(log.partition(), offset);
    List<EventHeader> records = Objects.requireNonNull(logs.get(log.partition()));
    for (int at = (int) offset; at < records.size(); at++) {
      addRecord(
          new ConsumerRecord<>(
              TOPIC,
              log.partition(),
              at,
              0,
              TimestampType.CREATE_TIME,
              0,
              10,
              new byte[0],
              new byte[10],
              new RecordHeaders(List.of(Headers.toHeader(records.get(at)))),
              Optional.empty()));
    }
  }
}
