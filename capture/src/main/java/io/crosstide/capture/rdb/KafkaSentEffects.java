package io.crosstide.capture.rdb;

import io.crosstide.capture.position.ConsumerSettings;
import io.crosstide.capture.rdb.SentChain.Picker;
import io.crosstide.capture.rdb.SentChain.Segment;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.SentBatch;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topic {@code sent-effects.<region>}, to which owners write every batch before they send it to
 * Redis. It is read three times, each time one poll's worth of it in memory: to learn what there
 * is, to make sure of what is needed, and to hand that over.
 *
 * <p>Any method may throw Kafka's {@code TimeoutException} while Kafka is away; trying again is
 * right.
 */
public final class KafkaSentEffects implements SentEffects {
  private static final Logger log = LoggerFactory.getLogger(KafkaSentEffects.class);

  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final String topic;

  /**
   * @param kafka connection settings as the user gave them
   */
  public KafkaSentEffects(Map<String, ?> kafka, String topic) {
    this(() -> ConsumerSettings.consumer(kafka), topic);
  }

  KafkaSentEffects(Supplier<Consumer<byte[], byte[]>> consumers, String topic) {
    this.consumers = consumers;
    this.topic = topic;
  }

  @Override
  public Applied applied(int partition, Fx after, Fx through) throws UnknownEffectsException {
    TopicPartition tp = new TopicPartition(topic, partition);
    long begin;
    long end;
    SentChain chain = new SentChain();
    try (Consumer<byte[], byte[]> consumer = consumers.get()) {
      if (consumer.partitionsFor(topic).stream().noneMatch(info -> info.partition() == partition)) {
        throw new UnknownEffectsException("Kafka has no " + tp);
      }
      begin = consumer.beginningOffsets(List.of(tp)).getOrDefault(tp, 0L);
      end = consumer.endOffsets(List.of(tp)).getOrDefault(tp, 0L);
    }
    try (PartitionCursor records = new PartitionCursor(consumers.get(), tp, begin, end)) {
      for (var record = records.next(); record != null; record = records.next()) {
        chain.add(SentBatch.decodeHead(record.value()), record.offset());
      }
    }
    List<Segment> segments;
    try {
      segments = chain.between(after, through);
    } catch (UnknownEffectsException e) {
      throw e.within(tp + ", offsets " + begin + " to " + end);
    }
    long batches = check(tp, segments, end);
    log.info(
        "{} holds the effects {} to {}: {} batches of {} epochs among {} records",
        tp,
        after,
        through,
        batches,
        segments.size(),
        end - begin);
    return () -> new Reader(tp, segments, end);
  }

  /** Reads the batches once without their effects. Returns how many there are. */
  private long check(TopicPartition tp, List<Segment> segments, long end)
      throws UnknownEffectsException {
    long batches = 0;
    try (Reader reader = new Reader(tp, segments, end)) {
      while (reader.nextRecord() != null) {
        batches++;
      }
      if (!reader.picker.done()) {
        throw new UnknownEffectsException(
            "the batches in " + tp + " do not end where the marker says, or are out of order");
      }
    }
    return batches;
  }

  /** Reads the chain's batches. */
  private final class Reader implements Batches {
    private final PartitionCursor records;
    private final Picker picker;

    Reader(TopicPartition tp, List<Segment> segments, long end) {
      long from = segments.stream().mapToLong(Segment::offset).min().orElse(end);
      this.records = new PartitionCursor(consumers.get(), tp, from, end);
      this.picker = new Picker(segments);
    }

    private @Nullable ConsumerRecord<byte[], byte[]> nextRecord() {
      while (!picker.done()) {
        ConsumerRecord<byte[], byte[]> record = records.next();
        if (record == null || picker.takes(SentBatch.decodeHead(record.value()))) {
          return record;
        }
      }
      return null;
    }

    @Override
    public @Nullable Sent next() {
      ConsumerRecord<byte[], byte[]> record = nextRecord();
      if (record != null) {
        return new Sent(SentBatch.decode(record.value()), record.timestamp());
      }
      if (!picker.done()) {
        throw new IllegalStateException(
            topic + " has lost records while it was read: start capture again");
      }
      return null;
    }

    @Override
    public void close() {
      records.close();
    }
  }
}
