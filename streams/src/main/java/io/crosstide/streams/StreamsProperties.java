package io.crosstide.streams;

import io.crosstide.schemas.Limits;
import io.crosstide.schemas.Topics;
import io.crosstide.streams.store.RocksSettings;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/** The Kafka settings that follow from a {@link StreamsRoleConfig}, with what led to them. */
final class StreamsProperties {
  private static final int PRODUCER_BUFFER_MARGIN = 32 << 20;

  private static final int FETCH_BYTES_MAX = 16 << 20;

  private StreamsProperties() {}

  static Properties of(StreamsRoleConfig config) {
    StreamsTuning tuning = config.tuning();
    Properties p = new Properties();
    p.putAll(config.kafkaProperties());
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, Topics.streamsApplicationId(config.region()));
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    p.put(StreamsConfig.STATE_DIR_CONFIG, config.stateDir().toAbsolutePath().toString());
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    // The newer protocol makes its main consumer without asking us, so that it could not be woken.
    p.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, "classic");
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, tuning.threads());
    p.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, tuning.standbyReplicas());
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, tuning.commitInterval().toMillis());
    // Bounds the pause between two ticks of an idle thread; answers wake it anyway.
    p.put(StreamsConfig.POLL_MS_CONFIG, 40L);
    // Never waits for a quiet log: order between logs does not matter to the merge.
    p.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, -1L);
    p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 2000);
    p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
    p.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksSettings.class);
    p.put(RocksSettings.CACHE_BYTES, Long.toString(tuning.cacheBytes()));
    p.put(RocksSettings.WRITE_BUFFER_BYTES, Long.toString(tuning.writeBufferBytes()));
    // There is no global thread; this only spares a warning.
    p.put("processing.exception.handler.global.enabled", true);
    p.put(StreamsConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    p.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    p.put(StreamsConfig.LOG_SUMMARY_INTERVAL_MS_CONFIG, 0L);
    p.put(StreamsConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000L);
    p.put(StreamsConfig.SEND_BUFFER_CONFIG, Limits.SOCKET_BUFFER_BYTES);
    p.put(StreamsConfig.RECEIVE_BUFFER_CONFIG, Limits.SOCKET_BUFFER_BYTES);

    p.put(main(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(main(ConsumerConfig.FETCH_MIN_BYTES_CONFIG), 1);
    p.put(main(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 2000);
    // What one poll may bring beyond the bound of HandedOver; a larger record comes alone.
    p.put(main(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), FETCH_BYTES_MAX);
    p.put(main(ConsumerConfig.CHECK_CRCS_CONFIG), false);
    int session = (int) tuning.sessionTimeout().toMillis();
    p.put(main(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), session);
    // Rebalances are noticed with a heartbeat.
    p.put(
        main(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG),
        Math.min(1_000, Math.max(100, session / 6)));
    p.put(main(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), InstanceId.of(config.stateDir()));

    p.put(
        StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG),
        (int) tuning.transactionTimeout().toMillis());
    // Only the changelog is produced, nobody reads it, and a commit sends what waits at once: few
    // large requests. Beginning a compressed batch costs 130 kB of garbage.
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
    // The first request of a transaction is refused, to be sent again, as long as Kafka is still
    // ending the one before; what was sent behind it would be refused as out of order, with an
    // error in the broker's log each.
    p.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION), 1);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.RETRY_BACKOFF_MS_CONFIG), 10);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    p.put(
        StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG),
        Limits.RECORD_BYTES_MAX);
    p.put(
        StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG),
        (long) Limits.RECORD_BYTES_MAX + PRODUCER_BUFFER_MARGIN);
    return p;
  }

  /** For the admin client that looks after topics. */
  static Map<String, Object> admin(StreamsRoleConfig config) {
    Map<String, Object> p = new HashMap<>(config.kafkaProperties());
    p.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    p.put(AdminClientConfig.CLIENT_ID_CONFIG, clientId(config, "admin"));
    p.put(AdminClientConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    p.put(AdminClientConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    return p;
  }

  /** For the producer that remembers sent effects: nothing lost, nothing out of order. */
  static Map<String, Object> sentEffects(StreamsRoleConfig config) {
    Map<String, Object> p = new HashMap<>(config.kafkaProperties());
    p.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    p.put(ProducerConfig.CLIENT_ID_CONFIG, clientId(config, "sent-effects"));
    p.put(ProducerConfig.ACKS_CONFIG, "all");
    p.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    // The owners of a thread send one after the other: all in one request.
    p.put(ProducerConfig.LINGER_MS_CONFIG, 1);
    p.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 << 10);
    // Digests, mostly, of which nothing can be saved; and each batch is a request of its own.
    p.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none");
    p.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Limits.RECORD_BYTES_MAX);
    p.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG,
        (long) Limits.RECORD_BYTES_MAX + PRODUCER_BUFFER_MARGIN);
    p.put(ProducerConfig.SEND_BUFFER_CONFIG, Limits.SOCKET_BUFFER_BYTES);
    p.put(ProducerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    p.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    p.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
    return p;
  }

  /** For the consumer that looks where the own log ends. */
  static Map<String, Object> logEnds(StreamsRoleConfig config) {
    Map<String, Object> p = new HashMap<>(config.kafkaProperties());
    p.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    p.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId(config, "log-ends"));
    p.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    p.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    p.put(ConsumerConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    p.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    p.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
    return p;
  }

  private static String clientId(StreamsRoleConfig config, String use) {
    return Topics.streamsApplicationId(config.region()) + "." + use;
  }

  private static String main(String name) {
    return StreamsConfig.mainConsumerPrefix(name);
  }
}
