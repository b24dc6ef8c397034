package io.crosstide.capture.position;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.log.LogTail;
import io.crosstide.schemas.log.LogTails;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * The region's own log as capture reads it again: its ends, and events from some place on. Records
 * of a capture older than the newest that fenced the partition do not count, wherever they stand
 * behind its fence (P16): all readers ignore them.
 *
 * <p>Any method may throw Kafka's {@code TimeoutException} while Kafka is away; trying again is
 * right. Memory is one poll's worth of records.
 */
public final class OwnLog implements AutoCloseable {
  /** How many records are read back at first. Mostly one poll. */
  private static final int CHUNK = 500;

  private static final Duration STALLED_MAX = Duration.ofSeconds(30);

  private final Consumer<byte[], byte[]> consumer;
  private final LogTails tails;
  private final ChangeEventCodec codec;
  private final String topic;

  OwnLog(Consumer<byte[], byte[]> consumer, ChangeEventCodec codec, String topic) {
    this.consumer = consumer;
    this.tails = new LogTails(consumer, CHUNK, STALLED_MAX);
    this.codec = codec;
    this.topic = topic;
  }

  /**
   * @param kafka connection settings as the user gave them
   */
  public static OwnLog open(Map<String, ?> kafka, ChangeEventCodec codec, String topic) {
    return new OwnLog(ConsumerSettings.consumer(kafka), codec, topic);
  }

  /**
   * The ends of all partitions as they are now.
   *
   * @param reaches by partition, how far back each is to be read
   */
  Map<TopicPartition, LogTail> tails(List<LogTail.Reach> reaches) {
    Map<TopicPartition, LogTail.Reach> logs = new HashMap<>();
    for (int partition = 0; partition < reaches.size(); partition++) {
      logs.put(log(partition), reaches.get(partition));
    }
    return tails.read(logs, (record, header) -> {});
  }

  /** Adds what has been appended since to {@code read}; {@code check} sees all of it. */
  void readOn(Map<TopicPartition, LogTail> read, LogTails.Visitor check) {
    tails.readOn(read, check);
  }

  /** By partition, what {@code read} says of the log's end. */
  List<LogEnd> ends(Map<TopicPartition, LogTail> read) {
    Map<TopicPartition, Long> lastEvents = new HashMap<>();
    Map<TopicPartition, Long> behindThem = new HashMap<>();
    read.forEach(
        (log, tail) -> {
          if (tail.lastEventOffset() != LogTail.NONE) {
            lastEvents.put(log, tail.lastEventOffset());
            behindThem.put(log, tail.lastEventOffset() + 1);
          }
        });
    LogEnd[] ends = new LogEnd[read.size()];
    read.forEach((log, tail) -> ends[log.partition()] = LogEnd.of(tail, LogEnd.UNKNOWN, -1));
    tails.scan(
        lastEvents,
        behindThem,
        (record, header) -> {
          ChangeEvent.StreamPosition position =
              codec.decode(record.key(), record.value()).position();
          LogTail tail =
              Objects.requireNonNull(
                  read.get(new TopicPartition(record.topic(), record.partition())));
          ends[record.partition()] = LogEnd.of(tail, position.replOffset(), position.index());
        });
    return List.of(ends);
  }

  /**
   * Hands over the partition's events with a seq above {@code seq}, in order.
   *
   * @throws IllegalStateException if one is missing: the log has lost events
   */
  public void eventsAfter(
      int partition, long seq, java.util.function.Consumer<ChangeEvent> receiver) {
    TopicPartition tp = log(partition);
    long begin = tails.begins(Set.of(tp)).getOrDefault(tp, 0L);
    long end = tails.ends(Set.of(tp)).getOrDefault(tp, 0L);
    long from = end;
    for (long chunk = CHUNK; from > begin && !reaches(tp, from, end, seq); chunk *= 4) {
      from = Math.max(begin, end - chunk);
    }
    scan(
        tp,
        from,
        end,
        new LogTails.Visitor() {
          private int captureEpoch;
          private long expected = seq + 1;

          @Override
          public void visit(ConsumerRecord<byte[], byte[]> record, EventHeader header) {
            if (header.captureEpoch() < captureEpoch) {
              return;
            }
            captureEpoch = header.captureEpoch();
            if (header.isControl() || header.seq() < expected) {
              return;
            }
            if (header.seq() != expected) {
              throw new IllegalStateException(
                  tp
                      + " has no event "
                      + expected
                      + " before "
                      + header.seq()
                      + " at offset "
                      + record.offset()
                      + ": the region's own log has lost events");
            }
            receiver.accept(codec.decode(record.key(), record.value()));
            expected++;
          }
        });
  }

  /**
   * The highest capture epoch among the records from {@code from} to before {@code to}; 0: none.
   */
  public int captureEpochMax(int partition, long from, long to) {
    int[] max = {0};
    scan(
        log(partition),
        from,
        to,
        (record, header) -> max[0] = Math.max(max[0], header.captureEpoch()));
    return max[0];
  }

  /** Whether the first record from {@code from} on stands at or before {@code seq}. */
  private boolean reaches(TopicPartition tp, long from, long end, long seq) {
    if (from >= end) {
      return false;
    }
    long[] first = {Long.MAX_VALUE};
    scan(tp, from, Math.min(end, from + 1), (record, header) -> first[0] = header.seq());
    return first[0] <= seq;
  }

  private TopicPartition log(int partition) {
    return new TopicPartition(topic, partition);
  }

  private void scan(TopicPartition tp, long from, long end, LogTails.Visitor visitor) {
    tails.scan(Map.of(tp, from), Map.of(tp, end), visitor);
  }

  @Override
  public void close() {
    consumer.close();
  }
}
