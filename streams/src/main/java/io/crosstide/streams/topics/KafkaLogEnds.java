package io.crosstide.streams.topics;

import io.crosstide.crdt.Origin;
import io.crosstide.protocol.merge.PartitionMerger;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the end of the own log in Kafka: control events, too, carry the last seq. Used by several
 * stream threads, one at a time.
 *
 * <p>The last record alone does not tell. It may come from a capture that was replaced meanwhile:
 * behind its successor's fence there may be as much as it had in flight, with numbers too low or
 * too high. So the tail is read back until it begins with what is known, or is longer than what a
 * capture has in flight. Memory is one poll's worth of records.
 */
public final class KafkaLogEnds implements LogEnds, AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration POLL = Duration.ofMillis(200);

  /** How many records are read back at first. Mostly they reach what is known. */
  private static final long CHUNK = 500;

  /** More than a capture has in flight, records and bytes. */
  static final long IN_FLIGHT_RECORDS = 30_000;

  private static final long IN_FLIGHT_BYTES = 128L << 20;

  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final String topic;
  private final Origin origin;
  private @Nullable Consumer<byte[], byte[]> consumer;

  /**
   * @param consumerConfig without a group
   */
  public KafkaLogEnds(Map<String, Object> consumerConfig, String topic, Origin origin) {
    this(
        () ->
            new KafkaConsumer<>(
                consumerConfig, new ByteArrayDeserializer(), new ByteArrayDeserializer()),
        topic,
        origin);
  }

  KafkaLogEnds(Supplier<Consumer<byte[], byte[]>> consumers, String topic, Origin origin) {
    this.consumers = consumers;
    this.topic = topic;
    this.origin = origin;
  }

  @Override
  public synchronized long lastSeq(int partition, PartitionMerger.Received received) {
    Consumer<byte[], byte[]> open = consumer;
    if (open == null) {
      open = consumers.get();
      consumer = open;
    }
    TopicPartition log = new TopicPartition(topic, partition);
    List<TopicPartition> logs = List.of(log);
    open.assign(logs);
    long begin = open.beginningOffsets(logs, TIMEOUT).getOrDefault(log, 0L);
    long end = open.endOffsets(logs, TIMEOUT).getOrDefault(log, 0L);
    for (long chunk = CHUNK; ; chunk *= 4) {
      long from = Math.max(begin, end - chunk);
      Tail tail = read(open, log, from, end);
      if (from <= begin || tail.isEnough(received)) {
        return tail.seq;
      }
    }
  }

  private Tail read(Consumer<byte[], byte[]> open, TopicPartition log, long from, long end) {
    Tail tail = new Tail();
    if (from >= end) {
      return tail;
    }
    open.seek(log, from);
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (open.position(log) < end) {
      for (ConsumerRecord<byte[], byte[]> record : open.poll(POLL)) {
        if (record.offset() < end) {
          tail.add(record, header(record));
        }
        deadline = System.nanoTime() + TIMEOUT.toNanos();
      }
      if (System.nanoTime() - deadline > 0) {
        throw new TimeoutException(
            "nothing of "
                + log
                + " from offset "
                + open.position(log)
                + " on arrived within "
                + TIMEOUT.toSeconds()
                + " s, although it ends at "
                + end);
      }
    }
    return tail;
  }

  private EventHeader header(ConsumerRecord<byte[], byte[]> record) {
    EventHeader header = Headers.read(record.headers());
    if (header.packedOrigin() != origin.packed()) {
      throw new TopicMismatchException(
          "The record at offset "
              + record.offset()
              + " of "
              + topic
              + "-"
              + record.partition()
              + " was written by origin "
              + header.origin()
              + ", but this region is configured as origin "
              + origin
              + ": check the region's id and incarnation.");
    }
    return header;
  }

  @Override
  public synchronized void close() {
    if (consumer != null) {
      consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
      consumer = null;
    }
  }

  /** The records from some place to the end. */
  private static final class Tail {
    private long records;
    private long bytes;
    private long firstSeq;
    private int firstCaptureEpoch;
    private int captureEpoch;
    private long seq;

    void add(ConsumerRecord<byte[], byte[]> record, EventHeader header) {
      if (records == 0) {
        firstSeq = header.seq();
        firstCaptureEpoch = header.captureEpoch();
      }
      records++;
      bytes += Math.max(0, record.serializedValueSize());
      if (header.captureEpoch() >= captureEpoch) {
        captureEpoch = header.captureEpoch();
        seq = Math.max(seq, header.seq());
      }
    }

    boolean isEnough(PartitionMerger.Received received) {
      if (captureEpoch < received.captureEpoch()) {
        return false;
      }
      boolean beginsWithKnown =
          firstSeq <= received.seq() && firstCaptureEpoch >= received.captureEpoch();
      return beginsWithKnown || records >= IN_FLIGHT_RECORDS || bytes >= IN_FLIGHT_BYTES;
    }
  }
}
