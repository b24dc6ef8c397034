package io.crosstide.sandbox.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.sandbox.SandboxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerIT {
  @TempDir Path dir;

  @Test
  void keepsRecordsOverARestartFromTheSameDirectory() throws Exception {
    BrokerConfig config = BrokerConfig.onFreePorts(1, dir);
    try (EmbeddedBroker broker = new EmbeddedBroker(config).start()) {
      createTopic(broker, "t", 2);
      try (KafkaProducer<byte[], byte[]> producer = producer(broker, Map.of())) {
        producer.send(new ProducerRecord<>("t", 1, null, new byte[] {0, 1, 2})).get();
      }
    }
    try (EmbeddedBroker broker = new EmbeddedBroker(config).start();
        KafkaConsumer<byte[], byte[]> consumer = consumer(broker, Map.of())) {
      ConsumerRecord<byte[], byte[]> record = readOne(consumer, "t", 1);
      assertThat(record.value()).containsExactly(0, 1, 2);
    }
  }

  @Test
  void takesAnEventOf64MiBAndRefusesALargerOne() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir)) {
      createTopic(broker, "t", 1);
      Map<String, Object> large =
          Map.of("max.request.size", 80 << 20, "buffer.memory", 100L << 20, "retries", 0);
      try (KafkaProducer<byte[], byte[]> producer = producer(broker, large)) {
        producer.send(new ProducerRecord<>("t", 0, null, new byte[64 << 20])).get();
        assertThatThrownBy(
                () -> producer.send(new ProducerRecord<>("t", 0, null, new byte[66 << 20])).get())
            .hasRootCauseInstanceOf(RecordTooLargeException.class);
      }
    }
  }

  @Test
  void commitsTransactionsAsExactlyOnceStreamsDo() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir)) {
      createTopic(broker, "t", 1);
      Map<String, Object> transactional =
          Map.of("transactional.id", "x", "transaction.timeout.ms", 3_600_000);
      try (KafkaProducer<byte[], byte[]> producer = producer(broker, transactional);
          KafkaConsumer<byte[], byte[]> consumer =
              consumer(broker, Map.of("isolation.level", "read_committed", "group.id", "g"))) {
        producer.initTransactions();
        producer.beginTransaction();
        Future<RecordMetadata> aborted =
            producer.send(new ProducerRecord<>("t", 0, null, new byte[] {1}));
        producer.abortTransaction();
        producer.beginTransaction();
        Future<RecordMetadata> committed =
            producer.send(new ProducerRecord<>("t", 0, null, new byte[] {2}));
        producer.sendOffsetsToTransaction(
            Map.of(new TopicPartition("t", 0), new OffsetAndMetadata(7)), consumer.groupMetadata());
        producer.commitTransaction();
        assertThatThrownBy(aborted::get).hasCauseInstanceOf(KafkaException.class);
        assertThat(committed.get().hasOffset()).isTrue();
        assertThat(readOne(consumer, "t", 0).value()).containsExactly(2);
        TopicPartition tp = new TopicPartition("t", 0);
        assertThat(consumer.committed(Set.of(tp))).containsEntry(tp, new OffsetAndMetadata(7));
      }
    }
  }

  @Test
  void keepsAStampFarInTheFuture() throws Exception {
    long tomorrow = System.currentTimeMillis() + 86_400_000L;
    try (EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, dir)) {
      createTopic(broker, "t", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer(broker, Map.of());
          KafkaConsumer<byte[], byte[]> consumer = consumer(broker, Map.of())) {
        producer.send(new ProducerRecord<>("t", 0, tomorrow, null, new byte[] {1})).get();
        assertThat(readOne(consumer, "t", 0).timestamp()).isEqualTo(tomorrow);
      }
    }
  }

  @Test
  void namesThePortThatIsTaken() {
    BrokerConfig config = BrokerConfig.onFreePorts(1, dir.resolve("a"));
    try (EmbeddedBroker broker = new EmbeddedBroker(config).start()) {
      BrokerConfig same =
          new BrokerConfig(
              2, dir.resolve("b"), config.lanPort(), config.controllerPort(), Map.of(), Map.of());
      assertThatThrownBy(() -> new EmbeddedBroker(same).start())
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("Port " + config.lanPort())
          .hasMessageContaining("in use");
      assertThat(broker.bootstrapLan()).isEqualTo("127.0.0.1:" + config.lanPort());
    }
  }

  private static void createTopic(EmbeddedBroker broker, String name, int partitions)
      throws Exception {
    try (Admin admin = Admin.create(common(broker))) {
      admin
          .createTopics(List.of(new NewTopic(name, Optional.of(partitions), Optional.empty())))
          .all()
          .get();
    }
  }

  private static KafkaProducer<byte[], byte[]> producer(
      EmbeddedBroker broker, Map<String, Object> more) {
    Properties p = common(broker);
    p.putAll(more);
    return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static KafkaConsumer<byte[], byte[]> consumer(
      EmbeddedBroker broker, Map<String, Object> more) {
    Properties p = common(broker);
    p.putAll(more);
    return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Properties common(EmbeddedBroker broker) {
    Properties p = new Properties();
    p.put("bootstrap.servers", broker.bootstrapLan());
    p.put("metric.reporters", "");
    p.put("enable.metrics.push", "false");
    return p;
  }

  private static ConsumerRecord<byte[], byte[]> readOne(
      KafkaConsumer<byte[], byte[]> consumer, String topic, int partition) {
    TopicPartition tp = new TopicPartition(topic, partition);
    consumer.assign(List.of(tp));
    consumer.seekToBeginning(List.of(tp));
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (System.nanoTime() < deadline) {
      ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
      if (!records.isEmpty()) {
        return records.iterator().next();
      }
    }
    throw new AssertionError("No record in " + tp + " within 20 s");
  }
}
