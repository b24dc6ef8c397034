package io.crosstide.control.verify;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.crdt.VersionVector;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.Topics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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
      List<VersionVector> ends = new ArrayList<>(partitions);
      for (int partition = 0; partition < partitions; partition++) {
        TopicPartition log = new TopicPartition(Topics.changes(region), partition);
        consumer.assign(List.of(log));
        long begin = consumer.beginningOffsets(List.of(log), TIMEOUT).getOrDefault(log, 0L);
        long end = consumer.endOffsets(List.of(log), TIMEOUT).getOrDefault(log, 0L);
        ends.add(end(log, begin, end, captureEpoch));
      }
      return ends;
    } catch (KafkaException e) {
      throw new IOException("Kafka of " + region + ": " + e.getMessage(), e);
    }
  }

  private VersionVector end(TopicPartition log, long begin, long end, int captureEpoch)
      throws IOException {
    EventHeader last = null;
    for (long from = end, chunk = 1;
        from > begin && (last == null || last.captureEpoch() < captureEpoch);
        chunk *= CHUNK_GROWTH) {
      from = Math.max(begin, end - chunk);
      last = newest(log, from, end);
    }
    return last == null ? VersionVector.EMPTY : VersionVector.of(last.origin(), last.seq());
  }

  /** Of the records from {@code from} on: the highest seq of the newest capture. */
  private @Nullable EventHeader newest(TopicPartition log, long from, long end) throws IOException {
    consumer.seek(log, from);
    EventHeader newest = null;
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (consumer.position(log) < end) {
      List<ConsumerRecord<byte[], byte[]>> polled = consumer.poll(POLL).records(log);
      for (ConsumerRecord<byte[], byte[]> record : polled) {
        EventHeader header = Headers.read(record.headers());
        if (record.offset() < end && (newest == null || isNewer(header, newest))) {
          newest = header;
        }
      }
      if (!polled.isEmpty()) {
        deadline = System.nanoTime() + TIMEOUT.toNanos();
      } else if (System.nanoTime() - deadline > 0) {
        throw new IOException(
            "Kafka of "
                + region
                + " did not give the records of "
                + log
                + " from "
                + consumer.position(log)
                + " to "
                + end);
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
