package io.crosstide.sandbox.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.VoidDeserializer;
import org.apache.kafka.common.serialization.VoidSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A broker in a JVM of its own is killed amidst transactions and starts again on its directory. */
@Timeout(300)
class BrokerCrashIT {
  private static final int CRASHES = 3;
  private static final int WRITERS = 6;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String TOPIC = "counts";

  @TempDir Path dir;

  @Test
  void transactionsAreWholeAndNoneIsLeftUndecided() throws Exception {
    BrokerConfig config = BrokerConfig.onFreePorts(1, dir);
    long before = 0;
    for (int crash = 0; crash < CRASHES; crash++) {
      writeUntilKilled(config);
      long sum = 0;
      try (EmbeddedBroker broker = new EmbeddedBroker(config).start()) {
        for (int writer = 0; writer < WRITERS; writer++) {
          sum += countOf(broker.bootstrapLan(), writer);
        }
      }
      assertThat(sum).isGreaterThanOrEqualTo(before + WRITERS);
      before = sum;
    }
  }

  private static void writeUntilKilled(BrokerConfig config) throws Exception {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                WritersMain.class.getName(),
                config.directory().toString(),
                String.valueOf(config.lanPort()),
                String.valueOf(config.controllerPort()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out =
        new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); !"ready".equals(line); line = out.readLine()) {
        assertThat(line).as("the other JVM ended before it was ready").isNotNull();
      }
    } finally {
      jvm.destroyForcibly().waitFor();
    }
  }

  /**
   * What the writer's last transaction left, after its successor has ended it: the same in the
   * committed offset and in the records.
   */
  private static long countOf(String bootstrap, int writer) {
    try (KafkaProducer<@Nullable Void, Long> successor = producer(bootstrap, writer);
        KafkaConsumer<Void, Long> committed = consumer(bootstrap, writer, "read_committed");
        KafkaConsumer<Void, Long> all = consumer(bootstrap, writer, "read_uncommitted")) {
      successor.initTransactions();
      TopicPartition counts = new TopicPartition(TOPIC, writer);
      long offset = committedOffset(committed, counts);
      long end = all.endOffsets(Set.of(counts), PATIENCE).getOrDefault(counts, -1L);
      committed.assign(Set.of(counts));
      committed.seekToBeginning(Set.of(counts));
      long last = 0;
      long giveUp = System.nanoTime() + PATIENCE.toNanos();
      while (committed.position(counts) < end) {
        assertThat(System.nanoTime() - giveUp).as("%s can be read to its end", counts).isNegative();
        for (ConsumerRecord<Void, Long> record : committed.poll(Duration.ofMillis(100))) {
          last = record.value();
        }
      }
      assertThat(last).as("records and offset of writer %d", writer).isEqualTo(offset);
      return last;
    }
  }

  private static long committedOffset(KafkaConsumer<?, ?> consumer, TopicPartition counts) {
    OffsetAndMetadata offset = consumer.committed(Set.of(counts), PATIENCE).get(counts);
    return offset == null ? 0 : offset.offset();
  }

  private static KafkaProducer<@Nullable Void, Long> producer(String bootstrap, int writer) {
    Map<String, Object> p = common(bootstrap);
    p.put("transactional.id", "writer-" + writer);
    return new KafkaProducer<>(p, new VoidSerializer(), new LongSerializer());
  }

  private static KafkaConsumer<Void, Long> consumer(
      String bootstrap, int writer, String isolation) {
    Map<String, Object> p = common(bootstrap);
    p.put("group.id", "group-" + writer);
    p.put("enable.auto.commit", "false");
    p.put("isolation.level", isolation);
    return new KafkaConsumer<>(p, new VoidDeserializer(), new LongDeserializer());
  }

  private static Map<String, Object> common(String bootstrap) {
    return new HashMap<>(
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "metric.reporters",
            "",
            "enable.metrics.push",
            "false"));
  }

  /** Counts in transactions, each of one record and the offset of the same number, until killed. */
  static final class WritersMain {
    private WritersMain() {}

    public static void main(String[] args) throws Exception {
      BrokerConfig config =
          new BrokerConfig(
              1,
              Path.of(args[0]),
              Integer.parseInt(args[1]),
              Integer.parseInt(args[2]),
              Map.of(),
              Map.of());
      String bootstrap = new EmbeddedBroker(config).start().bootstrapLan();
      try (Admin admin = Admin.create(common(bootstrap))) {
        if (!admin.listTopics().names().get().contains(TOPIC)) {
          admin
              .createTopics(List.of(new NewTopic(TOPIC, Optional.of(WRITERS), Optional.empty())))
              .all()
              .get();
        }
      }
      CountDownLatch writing = new CountDownLatch(WRITERS);
      for (int writer = 0; writer < WRITERS; writer++) {
        int id = writer;
        new Thread(() -> write(bootstrap, id, writing)).start();
      }
      writing.await();
      System.out.println("ready");
      System.out.flush();
    }

    private static void write(String bootstrap, int writer, CountDownLatch writing) {
      ConsumerGroupMetadata group;
      long count;
      TopicPartition counts = new TopicPartition(TOPIC, writer);
      try (KafkaConsumer<Void, Long> consumer = consumer(bootstrap, writer, "read_committed")) {
        group = consumer.groupMetadata();
        count = committedOffset(consumer, counts);
      }
      KafkaProducer<@Nullable Void, Long> producer = producer(bootstrap, writer);
      producer.initTransactions();
      while (true) {
        count++;
        producer.beginTransaction();
        var unused = producer.send(new ProducerRecord<>(TOPIC, writer, null, count));
        producer.sendOffsetsToTransaction(Map.of(counts, new OffsetAndMetadata(count)), group);
        producer.commitTransaction();
        writing.countDown();
      }
    }
  }
}
