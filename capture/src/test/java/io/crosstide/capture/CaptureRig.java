package io.crosstide.capture;

import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;

/** One region's real Redis and capture against a real broker, and a reader of its log. */
final class CaptureRig implements AutoCloseable {
  static final int PARTITIONS = 4;

  final RedisProcess redis;
  final EmbeddedBroker broker;
  final InMemorySchemaRegistry registry = new InMemorySchemaRegistry();
  final RedisClient client;
  final StatefulRedisConnection<String, String> connection;
  CaptureConfig config;
  CaptureAgent agent;

  CaptureRig(EmbeddedBroker broker, String region, Path dir) {
    this(broker, region, dir, false);
  }

  CaptureRig(EmbeddedBroker broker, String region, Path dir, boolean persistentRedis) {
    this(broker, region, dir, RedisBinary.find(null, dir.resolve("bin")), persistentRedis);
  }

  CaptureRig(
      EmbeddedBroker broker, String region, Path dir, RedisBinary binary, boolean persistentRedis) {
    this.broker = broker;
    this.redis =
        new RedisProcess(
            new RedisConfig(binary, dir.resolve("redis"), Ports.free(), persistentRedis)
                // Everysec may postpone a write for seconds that capture has read already.
                .with("appendfsync", "always"));
    redis.start();
    redis.awaitReady(Duration.ofSeconds(20));
    this.client = RedisClient.create("redis://127.0.0.1:" + redis.port());
    this.connection = client.connect();
    this.config =
        CaptureConfig.of(
            region,
            1,
            RedisEndpoint.parse("redis://127.0.0.1:" + redis.port()),
            Map.of("bootstrap.servers", broker.bootstrapLan()),
            PARTITIONS,
            dir.resolve("capture"));
    this.agent = newAgent(SentEffects.NONE);
  }

  RedisCommands<String, String> commands() {
    return connection.sync();
  }

  CaptureAgent newAgent(SentEffects sentEffects) {
    agent = new CaptureAgent(config, registry, sentEffects);
    return agent;
  }

  /** Starts a new agent over the same directory. */
  CaptureRig start() {
    return start(SentEffects.NONE);
  }

  CaptureRig start(SentEffects sentEffects) {
    newAgent(sentEffects).start();
    return this;
  }

  CaptureRig awaitStreaming() {
    await("streaming", () -> agent.state() == CaptureState.STREAMING);
    return this;
  }

  /** Waits until everything written to Redis so far is in Kafka. */
  void awaitCaptured() {
    await("captured", () -> commands().waitForReplication(1, 200) == 1);
  }

  void await(String what, BooleanSupplier condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(40))
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              if (agent.state() == CaptureState.FAILED) {
                throw new AssertionError("capture failed: " + agent.sentence());
              }
              return condition.getAsBoolean();
            });
  }

  /** As if the retention of all its records had passed. */
  void emptyLog() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapLan()))) {
      Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
      for (int p = 0; p < PARTITIONS; p++) {
        all.put(new TopicPartition(config.topic(), p), RecordsToDelete.beforeOffset(-1));
      }
      admin.deleteRecords(all).all().get();
    }
  }

  /** As if somebody had deleted the topic by mistake. */
  void deleteLog() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapLan()))) {
      admin.deleteTopics(List.of(config.topic())).all().get();
      await("deleted", () -> !names(admin).contains(config.topic()));
    }
  }

  private static Set<String> names(Admin admin) {
    try {
      return admin.listTopics().names().get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** All records of the log, fenced or not, by partition. */
  List<List<ChangeEvent>> log() {
    ChangeEventCodec codec = new ChangeEventCodec(registry, config.topic());
    codec.register();
    List<List<ChangeEvent>> log = new ArrayList<>();
    for (int p = 0; p < PARTITIONS; p++) {
      log.add(new ArrayList<>());
    }
    Collection<TopicPartition> partitions =
        IntStream.range(0, PARTITIONS)
            .mapToObj(p -> new TopicPartition(config.topic(), p))
            .toList();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.bootstrapLan()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          log.get(record.partition()).add(codec.decode(record));
        }
      }
    }
    return log;
  }

  /**
   * The element and key events of the whole log, partition by partition, as a reader takes them:
   * those of fenced captures left out. Checks that no seq is missing or doubled.
   */
  List<ChangeEvent> events() {
    List<ChangeEvent> events = new ArrayList<>();
    for (List<ChangeEvent> partition : log()) {
      int epoch = 0;
      long seq = 0;
      for (ChangeEvent event : partition) {
        if (event.captureEpoch() < epoch) {
          continue;
        }
        epoch = event.captureEpoch();
        if (event.isControl()) {
          continue;
        }
        if (event.seq() != seq + 1) {
          throw new AssertionError("seq " + event.seq() + " follows " + seq + ": " + event);
        }
        seq = event.seq();
        events.add(event);
      }
    }
    return events;
  }

  /** The sum of all increments and the last SET before them of one integer key. */
  static long sum(List<ChangeEvent> events) {
    long sum = 0;
    for (ChangeEvent event : events) {
      if (event.change() instanceof Change.StringSet set) {
        sum = Long.parseLong(set.value().text());
      } else if (event.change() instanceof Change.StringAdd add) {
        sum += add.delta().longValueExact();
      }
    }
    return sum;
  }

  /** The key of an event that has one. */
  static RedisKey keyOf(ChangeEvent event) {
    return Objects.requireNonNull(event.key(), "control events have no key");
  }

  List<ChangeEvent> eventsOf(String key) {
    return events().stream().filter(event -> keyOf(event).name().text().equals(key)).toList();
  }

  @Override
  public void close() {
    agent.close();
    connection.close();
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    redis.close();
  }
}
