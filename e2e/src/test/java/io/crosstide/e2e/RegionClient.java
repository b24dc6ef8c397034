package io.crosstide.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.Topics;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** One region as its clients see it: a Redis; and its log, for what they cannot see. */
final class RegionClient implements AutoCloseable {
  private static final int OUTSTANDING_MAX = 1_000;
  private static final String BEACON = "__ct:beacon";

  private final int id;
  private final String name;
  private final String kafka;
  private final RedisClient client;
  private final StatefulRedisConnection<String, String> text;
  private final StatefulRedisConnection<byte[], byte[]> binary;

  private RegionClient(int id, String name, String redis, String kafka) {
    this.id = id;
    this.name = name;
    this.kafka = kafka;
    this.client = RedisClient.create(RedisURI.create(redis));
    // A command sent again after a reconnect would count twice.
    client.setOptions(ClientOptions.builder().autoReconnect(false).build());
    this.text = client.connect();
    this.binary = client.connect(ByteArrayCodec.INSTANCE);
  }

  static RegionClient of(JsonNode region) {
    return new RegionClient(
        region.path("id").asInt(),
        region.path("name").asText(),
        region.path("redis").asText(),
        region.path("kafka").asText());
  }

  int id() {
    return id;
  }

  String name() {
    return name;
  }

  /** Its Redis. */
  RedisCommands<String, String> redis() {
    return text.sync();
  }

  /** Its Redis, for names and values that are not text. */
  RedisCommands<byte[], byte[]> bytes() {
    return binary.sync();
  }

  /** A connection of the caller's own, for transactions and other databases. */
  StatefulRedisConnection<String, String> connection() {
    return client.connect();
  }

  /** A connection of the caller's own that listens. */
  StatefulRedisPubSubConnection<String, String> listening() {
    return client.connectPubSub();
  }

  /** Sends a command many times without waiting for each, and waits for all. */
  void pipeline(int times, Function<RedisAsyncCommands<String, String>, RedisFuture<?>> command) {
    List<RedisFuture<?>> outstanding = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      outstanding.add(command.apply(text.async()));
      if (outstanding.size() == OUTSTANDING_MAX || i == times - 1) {
        if (!LettuceFutures.awaitAll(
            60, TimeUnit.SECONDS, outstanding.toArray(RedisFuture<?>[]::new))) {
          throw new AssertionError(name + " did not answer within 60 s");
        }
        outstanding.clear();
      }
    }
  }

  /** The wall clock as its replication stream last told, 0 before. */
  long beaconMillis() {
    String millis = redis().get(BEACON);
    return millis == null ? 0 : Long.parseLong(millis);
  }

  /** The process of its Redis. */
  Server server() {
    Map<String, String> info =
        redis()
            .info("server")
            .lines()
            .filter(line -> line.contains(":"))
            .collect(
                Collectors.toMap(
                    line -> line.substring(0, line.indexOf(':')),
                    line -> line.substring(line.indexOf(':') + 1).strip()));
    return new Server(
        Long.parseLong(info.getOrDefault("process_id", "0")),
        info.getOrDefault("executable", ""),
        info.getOrDefault("config_file", ""));
  }

  /** A Redis process and what it takes to start it again. */
  record Server(long pid, String executable, String configFile) {}

  /** How many events of writes its log holds, and how many control events. */
  LogCounts log() {
    String topic = Topics.changes(name);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka, "enable.metrics.push", "false"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      long writes = 0;
      long controls = 0;
      while (partitions.stream().anyMatch(p -> consumer.position(p) < end(ends, p))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          if (Headers.read(record.headers()).isControl()) {
            controls++;
          } else {
            writes++;
          }
        }
      }
      return new LogCounts(writes, controls);
    }
  }

  private static long end(Map<TopicPartition, Long> ends, TopicPartition partition) {
    return ends.getOrDefault(partition, 0L);
  }

  /** Records of a log, by what they are. */
  record LogCounts(long writes, long controls) {}

  @Override
  public void close() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
  }
}
