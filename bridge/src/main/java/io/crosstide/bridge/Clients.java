package io.crosstide.bridge;

import io.crosstide.schemas.Limits;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Makes a bridge's Kafka clients, with the reasons for their settings. */
final class Clients {
  /** Records handed over by one poll at most. */
  static final int POLL_RECORDS_MAX = 2_000;

  private static final int FETCH_BYTES = 8 << 20;
  private static final int PARTITION_FETCH_BYTES = 1 << 20;
  private static final int BATCH_BYTES = 1 << 17;

  private Clients() {}

  static KafkaConsumer<byte[], byte[]> consumer(BridgeConfig config) {
    Properties p = common(config.sourceBootstrap());
    p.put("client.id", "bridge-" + config.link().replace("->", "-to-") + "-in");
    p.put("group.id", config.group());
    p.put("enable.auto.commit", "false");
    p.put("allow.auto.create.topics", "false");
    // A position that the log no longer has is a loss: seen, not skipped silently.
    p.put("auto.offset.reset", "none");
    p.put("fetch.min.bytes", "1");
    // An idle log is asked about seldom; the answer comes as soon as there is something.
    p.put("fetch.max.wait.ms", "5000");
    // Larger records still come, one at a time.
    p.put("fetch.max.bytes", String.valueOf(FETCH_BYTES));
    p.put("max.partition.fetch.bytes", String.valueOf(PARTITION_FETCH_BYTES));
    p.put("max.poll.records", String.valueOf(POLL_RECORDS_MAX));
    // The producer sums again, and the LAN is trusted as much as the disk.
    p.put("check.crcs", "false");
    p.put("default.api.timeout.ms", "20000");
    p.putAll(config.sourceProperties());
    return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * A producer for the WAN.
   *
   * @param lingerMillis how long to gather before a request
   */
  static KafkaProducer<byte[], byte[]> producer(BridgeConfig config, int lingerMillis) {
    Properties p = common(config.targetBootstrap());
    p.put("client.id", "bridge-" + config.link().replace("->", "-to-") + "-out");
    p.put("acks", "all");
    // Order is kept through retries by the broker's check of sequence numbers.
    p.put("enable.idempotence", "true");
    p.put("max.in.flight.requests.per.connection", String.valueOf(Pacer.REQUESTS_IN_FLIGHT));
    p.put("retries", String.valueOf(Integer.MAX_VALUE));
    // A cut may last for weeks: nothing is ever given up.
    p.put("delivery.timeout.ms", String.valueOf(Integer.MAX_VALUE));
    p.put("request.timeout.ms", "15000");
    p.put("retry.backoff.ms", "50");
    p.put("retry.backoff.max.ms", "1000");
    p.put("linger.ms", String.valueOf(lingerMillis));
    p.put("batch.size", String.valueOf(BATCH_BYTES));
    p.put("compression.type", config.compression());
    // A batch has a compressor of its own: at the usual level it takes 3.7 MB each time.
    p.put("compression.zstd.level", "1");
    p.put("max.request.size", String.valueOf(Limits.RECORD_BYTES_MAX));
    // The bridge bounds what is under way itself; send() must never wait for memory.
    p.put(
        "buffer.memory",
        String.valueOf(4 * config.bytesInFlightMax() + 2L * Limits.RECORD_BYTES_MAX));
    // By default a producer that lost all brokers forgets what it knew of them, and send() blocks
    // for as long as the line is cut. See StallDetector for brokers that moved meanwhile.
    p.put("metadata.recovery.strategy", "none");
    // Metadata of an idle log stays, or the next event would wait for a round trip more.
    p.put("metadata.max.idle.ms", "86400000");
    p.putAll(config.targetProperties());
    return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
  }

  static Admin targetAdmin(BridgeConfig config) {
    Properties p = common(config.targetBootstrap());
    p.put("client.id", "bridge-" + config.link().replace("->", "-to-") + "-admin");
    p.put("request.timeout.ms", "5000");
    p.put("default.api.timeout.ms", "5000");
    for (String name : config.targetProperties().keySet()) {
      if (name.startsWith("security.") || name.startsWith("sasl.") || name.startsWith("ssl.")) {
        p.put(name, config.targetProperties().get(name));
      }
    }
    return Admin.create(p);
  }

  private static Properties common(String bootstrap) {
    Properties p = new Properties();
    p.put("bootstrap.servers", bootstrap);
    p.put("reconnect.backoff.ms", "50");
    p.put("reconnect.backoff.max.ms", "1000");
    p.put("socket.connection.setup.timeout.ms", "3000");
    p.put("socket.connection.setup.timeout.max.ms", "10000");
    p.put("send.buffer.bytes", String.valueOf(Limits.SOCKET_BUFFER_BYTES));
    p.put("receive.buffer.bytes", String.valueOf(Limits.SOCKET_BUFFER_BYTES));
    p.put("metric.reporters", "");
    p.put("enable.metrics.push", "false");
    return p;
  }
}
