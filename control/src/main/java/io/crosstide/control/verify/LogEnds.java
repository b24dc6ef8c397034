package io.crosstide.control.verify;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.crdt.VersionVector;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.Topics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads where one region's log ends, in its own Kafka: per partition, the seq of the last event.
 * Not thread-safe.
 */
final class LogEnds implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final String region;
  private final List<TopicPartition> all = new ArrayList<>();
  private final KafkaConsumer<byte[], byte[]> consumer;

  LogEnds(String region, CrosstideConfig.Kafka kafka, int partitions) {
    this.region = region;
    for (int partition = 0; partition < partitions; partition++) {
      all.add(new TopicPartition(Topics.changes(region), partition));
    }
    Properties properties = new Properties();
    properties.putAll(kafka.properties());
    properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap());
    properties.put(ConsumerConfig.CLIENT_ID_CONFIG, "verify." + region);
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    properties.put(ConsumerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    properties.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    properties.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
    this.consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.assign(all);
  }

  /**
   * Per partition, the last seq of the region's origin; the empty vector for an empty partition.
   *
   * @throws IOException if the region's Kafka does not answer
   */
  List<VersionVector> read() throws IOException {
    List<VersionVector> ends =
        new ArrayList<>(Collections.nCopies(all.size(), VersionVector.EMPTY));
    try {
      Map<TopicPartition, Long> begins = consumer.beginningOffsets(all, TIMEOUT);
      Map<TopicPartition, Long> offsets = consumer.endOffsets(all, TIMEOUT);
      List<TopicPartition> filled =
          all.stream()
              .filter(tp -> offsets.getOrDefault(tp, 0L) > begins.getOrDefault(tp, 0L))
              .toList();
      consumer.pause(all);
      consumer.resume(filled);
      for (TopicPartition tp : filled) {
        consumer.seek(tp, offsets.getOrDefault(tp, 0L) - 1);
      }
      int missing = filled.size();
      long deadline = System.nanoTime() + TIMEOUT.toNanos();
      while (missing > 0) {
        if (System.nanoTime() - deadline > 0) {
          throw new IOException(
              "Kafka of "
                  + region
                  + " did not give the last records of "
                  + missing
                  + " partitions");
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (record.offset() == offsets.getOrDefault(topicPartition(record), 0L) - 1) {
            missing--;
            EventHeader header = Headers.read(record.headers());
            ends.set(record.partition(), VersionVector.of(header.origin(), header.seq()));
          }
        }
      }
      return ends;
    } catch (KafkaException e) {
      throw new IOException("Kafka of " + region + ": " + e.getMessage(), e);
    }
  }

  private static TopicPartition topicPartition(ConsumerRecord<byte[], byte[]> record) {
    return new TopicPartition(record.topic(), record.partition());
  }

  @Override
  public void close() {
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(1)));
  }
}
