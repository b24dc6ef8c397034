package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.schemas.TopicSpec;
import io.crosstide.schemas.Topics;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The registry's log in the compacted topic {@code _schemas}. Appends are transactions under one
 * transactional id: opening the log fences every earlier writer and settles what it left unfinished
 * before the log is read.
 */
final class KafkaRegistryLog implements RegistryLog {
  private static final TopicPartition PARTITION = new TopicPartition(Topics.SCHEMAS, 0);
  private static final String TRANSACTIONAL_ID = "crosstide-schema-registry";
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(20);
  private static final Duration POLL = Duration.ofMillis(200);

  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, Object> clientProperties;
  private @Nullable KafkaProducer<byte[], byte @Nullable []> producer;

  /**
   * @param clientProperties at least {@code bootstrap.servers}
   */
  KafkaRegistryLog(Map<String, Object> clientProperties) {
    Map<String, Object> properties = new HashMap<>(clientProperties);
    properties.putIfAbsent("metric.reporters", "");
    properties.putIfAbsent("enable.metrics.push", "false");
    properties.putIfAbsent("reconnect.backoff.ms", "50");
    properties.putIfAbsent("reconnect.backoff.max.ms", "1000");
    this.clientProperties = properties;
  }

  @Override
  public RegistryState open() {
    try {
      closeProducer();
      createTopic();
      KafkaProducer<byte[], byte @Nullable []> next = newProducer();
      producer = next;
      next.initTransactions();
      return read();
    } catch (KafkaException e) {
      throw RegistryError.backend("cannot open " + Topics.SCHEMAS + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void append(List<RegistryRecords.Entry> entries) {
    KafkaProducer<byte[], byte @Nullable []> open = producer;
    if (open == null) {
      throw RegistryError.backend(Topics.SCHEMAS + " is not open", null);
    }
    try {
      open.beginTransaction();
      for (RegistryRecords.Entry entry : entries) {
        // commitTransaction throws what goes wrong here
        var unused =
            open.send(
                new ProducerRecord<>(
                    PARTITION.topic(),
                    PARTITION.partition(),
                    json.writeValueAsBytes(entry.key()),
                    entry.value() == null ? null : json.writeValueAsBytes(entry.value())));
      }
      open.commitTransaction();
    } catch (KafkaException | JsonProcessingException e) {
      throw RegistryError.backend(
          "cannot say whether the write to " + Topics.SCHEMAS + " happened: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    closeProducer();
  }

  private void closeProducer() {
    KafkaProducer<byte[], byte @Nullable []> open = producer;
    producer = null;
    if (open != null) {
      open.close(Duration.ZERO);
    }
  }

  private KafkaProducer<byte[], byte @Nullable []> newProducer() {
    Map<String, Object> properties = new HashMap<>(clientProperties);
    properties.put("transactional.id", TRANSACTIONAL_ID);
    properties.put("acks", "all");
    properties.put("max.block.ms", Long.toString(CALL_TIMEOUT.toMillis()));
    properties.put("delivery.timeout.ms", Long.toString(CALL_TIMEOUT.toMillis()));
    properties.put("request.timeout.ms", "5000");
    properties.put("linger.ms", "0");
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private void createTopic() {
    TopicSpec spec = Topics.schemasSpec();
    Map<String, Object> properties = new HashMap<>(clientProperties);
    properties.put("default.api.timeout.ms", Long.toString(CALL_TIMEOUT.toMillis()));
    properties.put("request.timeout.ms", "5000");
    try (Admin admin = Admin.create(properties)) {
      NewTopic topic = new NewTopic(spec.name(), Optional.of(spec.partitions()), Optional.empty());
      admin.createTopics(List.of(topic.configs(spec.configs()))).all().get();
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw RegistryError.backend("cannot create " + spec.name() + ": " + e.getCause(), e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw RegistryError.backend("interrupted while creating " + spec.name(), e);
    }
  }

  private RegistryState read() {
    Map<String, Object> properties = new HashMap<>(clientProperties);
    properties.put("isolation.level", "read_committed");
    properties.put("default.api.timeout.ms", Long.toString(CALL_TIMEOUT.toMillis()));
    try (KafkaConsumer<byte[], byte @Nullable []> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = List.of(PARTITION);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long end = consumer.endOffsets(partitions).getOrDefault(PARTITION, 0L);
      RegistryState state = RegistryState.EMPTY;
      long deadline = System.nanoTime() + CALL_TIMEOUT.toNanos();
      while (consumer.position(PARTITION) < end) {
        if (System.nanoTime() > deadline) {
          throw RegistryError.backend(
              Topics.SCHEMAS
                  + " was read up to "
                  + consumer.position(PARTITION)
                  + " of "
                  + end
                  + " within "
                  + CALL_TIMEOUT,
              null);
        }
        for (ConsumerRecord<byte[], byte @Nullable []> record : consumer.poll(POLL)) {
          state = apply(state, record);
        }
      }
      return state;
    }
  }

  private RegistryState apply(
      RegistryState state, ConsumerRecord<byte[], byte @Nullable []> record) {
    try {
      byte[] value = record.value();
      JsonNode valueNode = value == null ? null : json.readTree(value);
      return RegistryRecords.apply(state, json.readTree(record.key()), valueNode);
    } catch (IOException | IllegalArgumentException e) {
      throw RegistryError.backend(
          "the record at offset "
              + record.offset()
              + " of "
              + Topics.SCHEMAS
              + " is not one of a schema registry: "
              + e.getMessage(),
          e);
    }
  }
}
