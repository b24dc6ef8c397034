package io.crosstide.control.verify;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.crdt.VersionVector;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.Topics;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads where one region's log ends, in its own Kafka: per partition, the seq of the last event.
 * Not thread-safe.
 *
 * <p>The last record alone does not tell: it may come from a capture that was replaced meanwhile,
 * which all readers ignore. So the log is read back to a record of the capture that runs.
 */
final class LogEnds implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(200);

  /** Mostly the last record will do; a replaced capture may have left thousands behind it. */
  private static final int CHUNK_GROWTH = 16;

  private final String region;
  private final int partitions;
  private final Consumer<byte[], byte[]> consumer;

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
    try {
      List<TopicPartition> logs =
          IntStream.range(0, partitions)
              .mapToObj(partition -> new TopicPartition(Topics.changes(region), partition))
              .toList();
      consumer.assign(logs);
      Map<TopicPartition, Long> begins = consumer.beginningOffsets(logs, TIMEOUT);
      Map<TopicPartition, Long> ends = consumer.endOffsets(logs, TIMEOUT);
      Map<TopicPartition, EventHeader> newest = new HashMap<>();
      Map<TopicPartition, Long> froms = new HashMap<>(ends);
      // All logs together: a request for each would take minutes where Kafka is far away.
      for (long chunk = 1; ; chunk *= CHUNK_GROWTH) {
        froms
            .entrySet()
            .removeIf(
                from ->
                    from.getValue() <= begins.getOrDefault(from.getKey(), 0L)
                        || isOf(captureEpoch, newest.get(from.getKey())));
        if (froms.isEmpty()) {
          break;
        }
        long back = chunk;
        froms.replaceAll(
            (log, from) ->
                Math.max(begins.getOrDefault(log, 0L), ends.getOrDefault(log, 0L) - back));
        newest.putAll(newest(froms, ends));
      }
      return logs.stream().map(log -> end(newest.get(log))).toList();
    } catch (KafkaException e) {
      throw new IOException("Kafka of " + region + ": " + e.getMessage(), e);
    }
  }

  private static boolean isOf(int captureEpoch, @Nullable EventHeader last) {
    return last != null && last.captureEpoch() >= captureEpoch;
  }

  private static VersionVector end(@Nullable EventHeader last) {
    return last == null ? VersionVector.EMPTY : VersionVector.of(last.origin(), last.seq());
  }

  /**
   * Per log, of the records from {@code froms} to its end: the highest seq of the newest capture.
   */
  private Map<TopicPartition, EventHeader> newest(
      Map<TopicPartition, Long> froms, Map<TopicPartition, Long> ends) throws IOException {
    consumer.assign(froms.keySet());
    froms.forEach(consumer::seek);
    Map<TopicPartition, EventHeader> newest = new HashMap<>();
    Set<TopicPartition> unread = new HashSet<>(froms.keySet());
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!unread.isEmpty()) {
      ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
      for (ConsumerRecord<byte[], byte[]> record : polled) {
        TopicPartition log = new TopicPartition(record.topic(), record.partition());
        if (record.offset() < ends.getOrDefault(log, 0L)) {
          EventHeader header = Headers.read(record.headers());
          newest.merge(log, header, (before, now) -> isNewer(now, before) ? now : before);
        }
      }
      unread.removeIf(log -> consumer.position(log) >= ends.getOrDefault(log, 0L));
      if (!polled.isEmpty()) {
        deadline = System.nanoTime() + TIMEOUT.toNanos();
      } else if (System.nanoTime() - deadline > 0) {
        throw new IOException("Kafka of " + region + " did not give the last records of " + unread);
      }
    }
    return newest;
  }

  private static boolean isNewer(EventHeader header, EventHeader than) {
    return header.captureEpoch() != than.captureEpoch()
        ? header.captureEpoch() > than.captureEpoch()
        : header.seq() > than.seq();
  }

  @Override
  public void close() {
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(1)));
  }
}
