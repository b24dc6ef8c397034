package io.crosstide.capture;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.SentBatch;
import io.crosstide.schemas.Partitions;
import io.crosstide.schemas.Topics;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * An owner of one partition that remembers batches in the topic as the streams role does, and
 * leaves in Redis what the Lua function would, as long as all guards hold.
 */
final class FakeOwner implements AutoCloseable {
  private static final Origin REMOTE = Origin.of(2);

  private final CaptureRig rig;
  private final int partition;
  private final KafkaProducer<byte[], byte[]> producer;
  private int epoch = 1;
  private long last;
  private Fx preceding = Fx.NONE;
  private long seen;

  FakeOwner(CaptureRig rig, int partition) {
    this.rig = rig;
    this.partition = partition;
    this.producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", rig.broker.bootstrapLan()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    marker(Map.of("e", "1", "f", "1:0", "b", "0:0", "c", "", "k", "0"));
  }

  static void createTopic(CaptureRig rig) throws ExecutionException, InterruptedException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", rig.broker.bootstrapLan()))) {
      admin
          .createTopics(List.of(new NewTopic(topic(rig), CaptureRig.PARTITIONS, (short) 1)))
          .all()
          .get();
    }
  }

  static String topic(CaptureRig rig) {
    return Topics.sentEffects(rig.config.region());
  }

  /** A key of this owner's partition. */
  String key(String name) {
    return IntStream.range(0, 10_000)
        .mapToObj(i -> name + i)
        .filter(
            key ->
                Partitions.of(key.getBytes(StandardCharsets.UTF_8), CaptureRig.PARTITIONS)
                    == partition)
        .findFirst()
        .orElseThrow();
  }

  private void marker(Map<String, String> fields) {
    rig.commands().hset(MarkerState.key(partition), fields);
  }

  /** A batch that is remembered and never sent. */
  Future<RecordMetadata> rememberOnly(Effect... effects) {
    return remember(List.of(effects), last + 1);
  }

  private Future<RecordMetadata> remember(List<Effect> effects, long first) {
    EffectBatch batch =
        new EffectBatch(
            partition,
            epoch,
            first,
            preceding,
            HybridTimestamp.ZERO,
            List.of(new EffectBatch.Group(VersionVector.of(REMOTE, seen + 1), effects)));
    return producer.send(
        new ProducerRecord<>(topic(rig), partition, null, SentBatch.of(batch).encode()));
  }

  /** A batch that is remembered and then applied; all of its guards must hold. */
  void batch(List<Effect> effects) throws ExecutionException, InterruptedException {
    remember(effects, last + 1).get();
    last += effects.size();
    seen++;
    RedisCommands<String, String> redis = rig.commands();
    redis.multi();
    marker(
        Map.of("f", new Fx(epoch, last).toString(), "c", VersionVector.of(REMOTE, seen).encode()));
    effects.forEach(effect -> apply(redis, effect));
    redis.exec();
  }

  private static void apply(RedisCommands<String, String> redis, Effect effect) {
    String key = Objects.requireNonNull(effect.element()).key().name().text();
    String name = Objects.requireNonNull(effect.element()).name().text();
    if (effect instanceof Effect.Add add) {
      redis.incrby(key, add.delta());
    } else if (effect instanceof Effect.Put put) {
      String value = put.desired().value() == null ? null : put.desired().value().text();
      switch (put.element().kind()) {
        case STRING -> redis.set(key, Objects.requireNonNull(value));
        case HASH_FIELD -> {
          if (value == null) {
            redis.hdel(key, name);
          } else {
            redis.hset(key, name, value);
          }
        }
        default -> throw new IllegalArgumentException("no such effect here: " + effect);
      }
    }
  }

  /** Another owner takes the partition over. */
  void takeOver(int newEpoch) {
    if (last > 0) {
      preceding = new Fx(epoch, last);
    }
    epoch = newEpoch;
    last = 0;
    marker(Map.of("e", "" + epoch, "f", new Fx(epoch, 0).toString(), "b", preceding.toString()));
  }

  @Override
  public void close() {
    producer.close();
  }
}
