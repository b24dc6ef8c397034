package io.crosstide.streams.topics;

import io.crosstide.crdt.Origin;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the last record of the own log in Kafka: control events, too, carry the last seq. Used by
 * several stream threads, one at a time.
 */
public final class KafkaLogEnds implements LogEnds, AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration POLL = Duration.ofMillis(200);

  private final Map<String, Object> consumerConfig;
  private final String topic;
  private final Origin origin;
  private @Nullable Consumer<byte[], byte[]> consumer;

  /**
   * @param consumerConfig without a group
   */
  public KafkaLogEnds(Map<String, Object> consumerConfig, String topic, Origin origin) {
    this.consumerConfig = Map.copyOf(consumerConfig);
    this.topic = topic;
    this.origin = origin;
  }

  @Override
  public synchronized long lastSeq(int partition) {
    Consumer<byte[], byte[]> open = consumer;
    if (open == null) {
      open =
          new KafkaConsumer<>(
              consumerConfig, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      consumer = open;
    }
    TopicPartition log = new TopicPartition(topic, partition);
    List<TopicPartition> logs = List.of(log);
    open.assign(logs);
    long begin = open.beginningOffsets(logs, TIMEOUT).getOrDefault(log, 0L);
    long end = open.endOffsets(logs, TIMEOUT).getOrDefault(log, 0L);
    if (end <= begin) {
      return 0;
    }
    open.seek(log, end - 1);
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (System.nanoTime() - deadline < 0) {
      for (ConsumerRecord<byte[], byte[]> record : open.poll(POLL)) {
        return lastSeq(record);
      }
    }
    throw new TimeoutException(
        "the last record of " + log + " did not arrive within " + TIMEOUT.toSeconds() + " s");
  }

  private long lastSeq(ConsumerRecord<byte[], byte[]> record) {
    EventHeader header = Headers.read(record.headers());
    if (header.packedOrigin() != origin.packed()) {
      throw new TopicMismatchException(
          "The last record of "
              + topic
              + "-"
              + record.partition()
              + " was written by origin "
              + header.origin()
              + ", but this region is configured as origin "
              + origin
              + ": check the region's id and incarnation.");
    }
    return header.seq();
  }

  @Override
  public synchronized void close() {
    if (consumer != null) {
      consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
      consumer = null;
    }
  }
}
