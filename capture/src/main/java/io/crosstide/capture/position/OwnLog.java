package io.crosstide.capture.position;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads the tail of the region's own log. Records of a capture older than the newest that fenced
 * the partition do not count, wherever they stand behind its fence (P16): all readers ignore them.
 *
 * <p>Any method may throw Kafka's {@code TimeoutException} while Kafka is away; trying again is
 * right. Memory is one poll's worth of records.
 */
public final class OwnLog implements AutoCloseable {
  /** How many records are read back at first. Mostly one poll. */
  private static final int CHUNK = 500;

  private static final Duration POLL = Duration.ofMillis(200);
  private static final long STALLED_NANOS = 30_000_000_000L;

  private final Consumer<byte[], byte[]> consumer;
  private final ChangeEventCodec codec;
  private final String topic;

  OwnLog(Consumer<byte[], byte[]> consumer, ChangeEventCodec codec, String topic) {
    this.consumer = consumer;
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
   * The end of a partition as it is now.
   *
   * @param captureEpochMin an epoch known to have fenced the partition; 0 if none is known
   */
  public LogEnd end(int partition, int captureEpochMin) {
    TopicPartition tp = assigned(partition);
    long begin = begin(tp);
    long end = endOffset(tp);
    for (long chunk = CHUNK; ; chunk *= 4) {
      long from = Math.max(begin, end - chunk);
      EndFinder found = new EndFinder();
      scan(tp, from, end, found);
      if (from == begin || (found.seenAny && found.captureEpoch >= captureEpochMin)) {
        return found.result(end);
      }
    }
  }

  /**
   * Hands over the partition's events with a seq above {@code seq}, in order.
   *
   * @throws IllegalStateException if one is missing: the log has lost events
   */
  public void eventsAfter(
      int partition, long seq, java.util.function.Consumer<ChangeEvent> receiver) {
    TopicPartition tp = assigned(partition);
    long begin = begin(tp);
    long end = endOffset(tp);
    long from = end;
    for (long chunk = CHUNK; from > begin && !reaches(tp, from, end, seq); chunk *= 4) {
      from = Math.max(begin, end - chunk);
    }
    scan(
        tp,
        from,
        end,
        new RecordVisitor() {
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

  /** Visits the partition's records from {@code from} to its end as it is now. */
  void scanFrom(int partition, long from, RecordVisitor visitor) {
    TopicPartition tp = assigned(partition);
    scan(tp, from, endOffset(tp), visitor);
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

  /** Assigned before it is asked about: Kafka's consumer warns of answers for others. */
  private TopicPartition assigned(int partition) {
    TopicPartition tp = new TopicPartition(topic, partition);
    consumer.assign(List.of(tp));
    return tp;
  }

  private long begin(TopicPartition tp) {
    return consumer.beginningOffsets(List.of(tp)).getOrDefault(tp, 0L);
  }

  private long endOffset(TopicPartition tp) {
    return consumer.endOffsets(List.of(tp)).getOrDefault(tp, 0L);
  }

  private void scan(TopicPartition tp, long from, long end, RecordVisitor visitor) {
    if (from >= end) {
      return;
    }
    consumer.seek(tp, from);
    long progressNanos = System.nanoTime();
    while (consumer.position(tp) < end) {
      List<ConsumerRecord<byte[], byte[]>> polled = consumer.poll(POLL).records(tp);
      for (ConsumerRecord<byte[], byte[]> record : polled) {
        if (record.offset() < end) {
          visitor.visit(record, Headers.read(record.headers()));
        }
      }
      if (!polled.isEmpty()) {
        progressNanos = System.nanoTime();
      } else if (System.nanoTime() - progressNanos > STALLED_NANOS) {
        throw new TimeoutException(
            tp
                + " delivers nothing from offset "
                + consumer.position(tp)
                + " although it ends at "
                + end);
      }
    }
  }

  @Override
  public void close() {
    consumer.close();
  }

  /** Looks at records in the order of the log. */
  interface RecordVisitor {
    void visit(ConsumerRecord<byte[], byte[]> record, EventHeader header);
  }

  /** Finds the last record of the newest epoch: older ones behind it were fenced. */
  private final class EndFinder implements RecordVisitor {
    private boolean seenAny;
    private int captureEpoch;
    private long seq;
    private long stampMax;
    private long replOffset = LogEnd.UNKNOWN;
    private int index = (int) LogEnd.UNKNOWN;

    @Override
    public void visit(ConsumerRecord<byte[], byte[]> record, EventHeader header) {
      if (header.captureEpoch() < captureEpoch) {
        return;
      }
      seenAny = true;
      captureEpoch = header.captureEpoch();
      stampMax = Math.max(stampMax, header.stamp().packed());
      if (!header.isControl()) {
        ChangeEvent event = codec.decode(record.key(), record.value());
        replOffset = event.position().replOffset();
        index = event.position().index();
      } else if (header.seq() > seq) {
        // The event with this seq stands further back than was read.
        replOffset = LogEnd.UNKNOWN;
        index = (int) LogEnd.UNKNOWN;
      }
      // A fence is written before the end is read: it may name a seq that the last event exceeds.
      seq = Math.max(seq, header.seq());
    }

    LogEnd result(long recordOffset) {
      return new LogEnd(
          captureEpoch, seq, new HybridTimestamp(stampMax), replOffset, index, recordOffset);
    }
  }
}
