package io.crosstide.capture.publish;

import io.crosstide.schemas.Limits;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** How capture's producer is set up: nothing lost, nothing twice, in order, for ever trying. */
public final class ProducerSettings {
  private static final int BATCH_BYTES = 64 * 1024;

  private ProducerSettings() {}

  /**
   * @param kafka connection settings as the user gave them; what correctness depends on is set over
   *     them
   */
  public static Producer<byte[], byte[]> producer(
      Map<String, ?> kafka, String clientId, long inFlightBytesMax, int partitions) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 2);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_BYTES);
    settings.put(ProducerConfig.RECONNECT_BACKOFF_MS_CONFIG, 50);
    settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
    settings.put(ProducerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    settings.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    settings.put(ProducerConfig.SEND_BUFFER_CONFIG, Limits.SOCKET_BUFFER_BYTES);
    settings.putAll(kafka);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.RETRIES_CONFIG, Integer.MAX_VALUE);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (long) Integer.MAX_VALUE);
    settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Limits.RECORD_BYTES_MAX);
    settings.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG,
        inFlightBytesMax + Limits.RECORD_BYTES_MAX + 2L * partitions * BATCH_BYTES);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
