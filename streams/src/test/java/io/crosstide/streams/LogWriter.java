package io.crosstide.streams;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.Partitions;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.registry.SchemaRegistry;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes hand-made events of one region into its log, as capture and a bridge would. */
final class LogWriter implements AutoCloseable {
  /** Of all writers, so that what is written later has the higher stamp. */
  private static final AtomicLong LAST_STAMP = new AtomicLong();

  private final String topic;
  private final Origin origin;
  private final int partitions;
  private final ChangeEventCodec codec;
  private final KafkaProducer<byte[], byte[]> producer;
  private final Map<Integer, Long> seqs = new HashMap<>();

  LogWriter(
      String region, int regionId, String bootstrap, int partitions, SchemaRegistry registry) {
    this.topic = Topics.changes(region);
    this.origin = Origin.of(regionId);
    this.partitions = partitions;
    this.codec = new ChangeEventCodec(registry, topic);
    this.producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ProducerConfig.LINGER_MS_CONFIG,
                1,
                ProducerConfig.BATCH_SIZE_CONFIG,
                1 << 16,
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                128L << 20,
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                65 << 20),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  /** A change that had seen nothing of other logs. */
  synchronized ChangeEvent write(String key, Change change) {
    return write(RedisKey.of(0, key), change, VersionVector.EMPTY);
  }

  synchronized ChangeEvent write(RedisKey key, Change change, VersionVector context) {
    int partition = Partitions.of(key.name().array(), partitions);
    long seq = seqs.merge(partition, 1L, Long::sum);
    ChangeEvent event = event(seq, Fx.NONE, context, key, change, Map.of());
    send(partition, event);
    return event;
  }

  synchronized void control(
      int partition,
      Change.Control change,
      Fx fx,
      VersionVector context,
      Map<String, MarkerState.Missed> exceptions) {
    send(partition, event(seqs.getOrDefault(partition, 0L), fx, context, null, change, exceptions));
  }

  /** Leaves out {@code count} seqs, as if their records had been lost. */
  synchronized void lose(String key, int count) {
    seqs.merge(Partitions.of(Bytes.utf8(key).array(), partitions), (long) count, Long::sum);
  }

  private ChangeEvent event(
      long seq,
      Fx fx,
      VersionVector context,
      @org.jspecify.annotations.Nullable RedisKey key,
      Change change,
      Map<String, MarkerState.Missed> exceptions) {
    long now = System.currentTimeMillis() << 16;
    long stamp = LAST_STAMP.updateAndGet(last -> Math.max(last + 1, now));
    return new ChangeEvent(
        origin,
        seq,
        Math.max(0, seq - 1),
        1,
        new HybridTimestamp(stamp),
        context,
        exceptions,
        fx,
        key,
        change,
        ChangeEvent.StreamPosition.UNKNOWN,
        null);
  }

  void send(int partition, ChangeEvent event) {
    var unused = producer.send(codec.toRecord(topic, partition, event));
  }

  void sendRaw(int partition, byte[] key, byte[] value) {
    var unused =
        producer.send(
            new org.apache.kafka.clients.producer.ProducerRecord<>(topic, partition, key, value));
  }

  Origin origin() {
    return origin;
  }

  void flush() {
    producer.flush();
  }

  @Override
  public void close() {
    producer.close();
  }
}
