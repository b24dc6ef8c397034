package io.crosstide.bridge;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.kafka.BrokerConfig;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.wan.WanEmulator;
import io.crosstide.sandbox.wan.WanLink;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.Topics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Two brokers, "a" and "b", a WAN link from a to b, and the log of a with numbered events. */
final class TwoRegions implements AutoCloseable {
  static final String LOG = Topics.changes("a");
  static final int PARTITIONS = 3;

  final WanEmulator wan = new WanEmulator();
  final WanLink link;
  private final BrokerConfig configOfA;
  private final BrokerConfig configOfB;
  private final List<Bridge> bridges = new ArrayList<>();
  private @Nullable EmbeddedBroker a;
  private @Nullable EmbeddedBroker b;

  TwoRegions(Path dir) {
    int wanPort = Ports.free();
    link = wan.open("a", "b", 0, wanPort);
    configOfA = BrokerConfig.onFreePorts(1, dir.resolve("a"));
    configOfB =
        BrokerConfig.onFreePorts(2, dir.resolve("b")).withWanListener("a", wanPort, link::address);
  }

  TwoRegions startA() {
    a = new EmbeddedBroker(configOfA).start();
    return this;
  }

  TwoRegions startB() {
    b = new EmbeddedBroker(configOfB).start();
    return this;
  }

  /** Both brokers, and the log on both. */
  TwoRegions startAll() throws Exception {
    startA().startB();
    createLog(lanOfA());
    createLog(lanOfB());
    return this;
  }

  void stopA() {
    if (a != null) {
      a.close();
      a = null;
    }
  }

  void stopB() {
    if (b != null) {
      b.close();
      b = null;
    }
  }

  String lanOfA() {
    return "127.0.0.1:" + configOfA.lanPort();
  }

  String lanOfB() {
    return "127.0.0.1:" + configOfB.lanPort();
  }

  Bridge bridge() {
    return bridge(BridgeConfig.of("a", "b", lanOfA(), link.address()));
  }

  Bridge bridge(BridgeConfig config) {
    Bridge bridge = new Bridge(config, new SimpleMeterRegistry()).start();
    bridges.add(bridge);
    return bridge;
  }

  void createLog(String bootstrap) throws Exception {
    createTopic(bootstrap, LOG, PARTITIONS);
  }

  static void createTopic(String bootstrap, String name, int partitions) throws Exception {
    try (Admin admin = Admin.create(client(bootstrap))) {
      admin
          .createTopics(List.of(new NewTopic(name, Optional.of(partitions), Optional.empty())))
          .all()
          .get();
    }
  }

  static void deleteTopic(String bootstrap, String name) throws Exception {
    try (Admin admin = Admin.create(client(bootstrap))) {
      admin.deleteTopics(List.of(name)).all().get();
    }
  }

  static Properties client(String bootstrap) {
    Properties p = new Properties();
    p.put("bootstrap.servers", bootstrap);
    p.put("metric.reporters", "");
    p.put("enable.metrics.push", "false");
    p.put("reconnect.backoff.max.ms", "500");
    return p;
  }

  KafkaProducer<byte[], byte[]> producerAtA() {
    return producerAtA(Map.of());
  }

  KafkaProducer<byte[], byte[]> producerAtA(Map<String, Object> more) {
    Properties p = client(lanOfA());
    p.putAll(more);
    return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** Appends events {@code from} to {@code to - 1} to every partition of the log at a. */
  void write(long from, long to) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producerAtA()) {
      for (long seq = from; seq < to; seq++) {
        for (int p = 0; p < PARTITIONS; p++) {
          var unused = producer.send(event(p, seq, 1));
        }
      }
      producer.flush();
    }
  }

  /**
   * Event number {@code seq} of a partition, as capture would write it; the value is its number.
   */
  static ProducerRecord<byte[], byte[]> event(int partition, long seq, int captureEpoch) {
    EventHeader header =
        new EventHeader(
            1,
            Origin.of(1).packed(),
            seq,
            seq - 1,
            captureEpoch,
            HybridTimestamp.of(System.currentTimeMillis(), 0),
            0);
    return new ProducerRecord<>(
        LOG,
        partition,
        System.currentTimeMillis(),
        ("key" + seq % 100).getBytes(java.nio.charset.StandardCharsets.UTF_8),
        ByteBuffer.allocate(100).putLong(seq).array(),
        List.of(Headers.toHeader(header)));
  }

  /** Numbers of the events in one partition at b, in the order of its log. */
  List<Long> numbersAtB(int partition) {
    List<Long> numbers = new ArrayList<>();
    recordsAtB(LOG, partition).forEach(r -> numbers.add(ByteBuffer.wrap(r.value()).getLong()));
    return numbers;
  }

  /** All records of one partition at b. */
  List<ConsumerRecord<byte[], byte[]>> recordsAtB(String topic, int partition) {
    return records(lanOfB(), topic, partition);
  }

  static List<ConsumerRecord<byte[], byte[]>> records(
      String bootstrap, String topic, int partition) {
    TopicPartition tp = new TopicPartition(topic, partition);
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            client(bootstrap), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(tp));
      consumer.seekToBeginning(List.of(tp));
      long end = consumer.endOffsets(List.of(tp)).getOrDefault(tp, 0L);
      while (consumer.position(tp) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }

  /** End offset of one partition at b. */
  long endAtB(int partition) {
    TopicPartition tp = new TopicPartition(LOG, partition);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            client(lanOfB()), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      return consumer.endOffsets(List.of(tp)).getOrDefault(tp, 0L);
    }
  }

  /** Offset stored by the bridge's group for one partition; -1 for none. */
  long committed(int partition) throws ExecutionException, InterruptedException {
    TopicPartition tp = new TopicPartition(LOG, partition);
    try (Admin admin = Admin.create(client(lanOfA()))) {
      Map<TopicPartition, org.apache.kafka.clients.consumer.OffsetAndMetadata> offsets =
          admin
              .listConsumerGroupOffsets(Topics.bridgeGroup("a", "b"))
              .partitionsToOffsetAndMetadata()
              .get();
      var offset = offsets.get(tp);
      return offset == null ? -1 : offset.offset();
    }
  }

  @Override
  public void close() {
    bridges.forEach(Bridge::abort);
    stopA();
    stopB();
    wan.close();
  }
}
