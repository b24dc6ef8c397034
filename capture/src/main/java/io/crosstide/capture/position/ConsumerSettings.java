package io.crosstide.capture.position;

import io.crosstide.schemas.Limits;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Kafka's settings for consumers that look something up in a log, in no group. */
public final class ConsumerSettings {
  private ConsumerSettings() {}

  /**
   * @param kafka connection settings as the user gave them; what correctness depends on is set over
   *     them
   */
  public static Consumer<byte[], byte[]> consumer(Map<String, ?> kafka) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(ConsumerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    settings.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    settings.put(ConsumerConfig.RECEIVE_BUFFER_CONFIG, Limits.SOCKET_BUFFER_BYTES);
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 10_000);
    // One record may take seconds.
    settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, 15_000);
    settings.putAll(kafka);
    // Partitions are read one after another: a fetch that waits at one's end would hold up the
    // next.
    settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 5);
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
