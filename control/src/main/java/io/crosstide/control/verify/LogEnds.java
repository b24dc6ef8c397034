package io.crosstide.control.verify;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.log.LogTail;
import io.crosstide.schemas.log.LogTails;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads where one region's log ends, in its own Kafka: per partition, the seq of the last event.
 * Not thread-safe.
 */
final class LogEnds implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** Mostly the last record will do, or, where nothing is written, the last few beats. */
  private static final int CHUNK = 4;

  private final String region;
  private final int partitions;
  private final Consumer<byte[], byte[]> consumer;
  private final LogTails tails;

  LogEnds(String region, CrosstideConfig.Kafka kafka, int partitions) {
    this(region, consumer(region, kafka), partitions);
  }

  /**
   * @param consumer in no group; closed together with this
   */
  LogEnds(String region, Consumer<byte[], byte[]> consumer, int partitions) {
    this.region = region;
    this.partitions = partitions;
    this.consumer = consumer;
    this.tails = new LogTails(consumer, CHUNK, TIMEOUT);
  }

  private static Consumer<byte[], byte[]> consumer(String region, CrosstideConfig.Kafka kafka) {
    Properties properties = new Properties();
    properties.putAll(kafka.properties());
    properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap());
    properties.put(ConsumerConfig.CLIENT_ID_CONFIG, "verify." + region);
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    properties.put(ConsumerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    properties.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    properties.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
    properties.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 5);
    return new KafkaConsumer<>(
        properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * Per partition, the last seq of the region's origin; the empty vector for an empty partition.
   *
   * @param captureEpoch of the capture that runs; 0 if that is not known
   * @throws IOException if the region's Kafka does not answer
   */
  List<VersionVector> read(int captureEpoch) throws IOException {
    List<TopicPartition> logs =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(Topics.changes(region), partition))
            .toList();
    LogTail.Reach running = LogTail.Reach.running(captureEpoch);
    Map<TopicPartition, LogTail.Reach> reaches = new HashMap<>();
    logs.forEach(log -> reaches.put(log, running));
    Map<TopicPartition, Origin> origins = new HashMap<>();
    try {
      Map<TopicPartition, LogTail> read =
          tails.read(
              reaches,
              (record, header) ->
                  origins.put(
                      new TopicPartition(record.topic(), record.partition()), header.origin()));
      return logs.stream()
          .map(log -> end(origins.get(log), Objects.requireNonNull(read.get(log))))
          .toList();
    } catch (KafkaException e) {
      throw new IOException("Kafka of " + region + ": " + e.getMessage(), e);
    }
  }

  private static VersionVector end(@Nullable Origin origin, LogTail tail) {
    return origin == null ? VersionVector.EMPTY : VersionVector.of(origin, tail.seq());
  }

  @Override
  public void close() {
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(1)));
  }
}
