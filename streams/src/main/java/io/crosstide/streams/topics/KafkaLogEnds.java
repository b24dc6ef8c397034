package io.crosstide.streams.topics;

import io.crosstide.crdt.Origin;
import io.crosstide.protocol.merge.PartitionMerger;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.log.LogTail;
import io.crosstide.schemas.log.LogTails;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the end of the own log in Kafka, back to what has been received. Used by several stream
 * threads, one at a time.
 */
public final class KafkaLogEnds implements LogEnds, AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** How many records are read back at first. Mostly they reach what is known. */
  private static final int CHUNK = 500;

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
    LogTail.Reach known = LogTail.Reach.known(received.captureEpoch(), received.seq());
    Map<TopicPartition, LogTail> read =
        new LogTails(open, CHUNK, TIMEOUT).read(Map.of(log, known), this::requireOwn);
    return Objects.requireNonNull(read.get(log)).seq();
  }

  private void requireOwn(ConsumerRecord<byte[], byte[]> record, EventHeader header) {
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
  }

  @Override
  public synchronized void close() {
    if (consumer != null) {
      consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
      consumer = null;
    }
  }
}
