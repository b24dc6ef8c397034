package io.crosstide.capture.position;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.log.LogTail;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Makes this capture the only writer of the region's log (P16): a record with a new, higher capture
 * epoch goes into every partition and is acknowledged before the log's end is read. Whatever an
 * older capture, paused or cut off, still appends stands behind it with a lower epoch and is
 * ignored by every reader, this one included; so the end that is read is final.
 *
 * <p>Two captures that start at once may pick the same epoch. Then each finds the other's record,
 * at a lower offset than its own in at least one partition, and that one has lost.
 */
public final class CaptureFence {
  private final OwnLog log;
  private final Producer<byte[], byte[]> producer;
  private final ChangeEventCodec codec;
  private final String topic;
  private final int partitions;
  private final long[] offsets;
  private Map<TopicPartition, LogTail> tails = Map.of();

  public CaptureFence(
      OwnLog log,
      Producer<byte[], byte[]> producer,
      ChangeEventCodec codec,
      String topic,
      int partitions) {
    this.log = log;
    this.producer = producer;
    this.codec = codec;
    this.topic = topic;
    this.partitions = partitions;
    this.offsets = new long[partitions];
  }

  /** Another capture has taken the same epoch: try again with a higher one. */
  public static final class EpochTakenException extends Exception {
    EpochTakenException(String message) {
      super(message);
    }
  }

  /** Where the fence records stand, by partition; once it is raised. */
  public long[] offsets() {
    return offsets.clone();
  }

  /** Makes the fence record of one partition. */
  public interface FenceEvents {
    ChangeEvent of(int partition, LogEnd end);
  }

  /**
   * The ends as they are before a fence; the highest epoch among them must be exceeded.
   *
   * @param reaches by partition, how far back its log is to be read
   */
  public List<LogEnd> endsBefore(List<LogTail.Reach> reaches) {
    tails = log.tails(reaches);
    return log.ends(tails);
  }

  public static int epochMax(List<LogEnd> ends) {
    return ends.stream().mapToInt(LogEnd::captureEpoch).max().orElse(0);
  }

  /**
   * Writes the fence with {@code captureEpoch} and returns the ends behind which nothing of an
   * older capture counts.
   *
   * @param before what {@link #endsBefore} said; only the records since are looked at
   * @throws EpochTakenException if another capture wrote the same or a higher epoch first
   */
  public List<LogEnd> raise(int captureEpoch, List<LogEnd> before, FenceEvents events)
      throws EpochTakenException, InterruptedException {
    List<Future<RecordMetadata>> sent = new ArrayList<>(partitions);
    for (int partition = 0; partition < partitions; partition++) {
      ChangeEvent event = events.of(partition, before.get(partition));
      sent.add(producer.send(record(partition, event)));
    }
    producer.flush();
    for (int partition = 0; partition < partitions; partition++) {
      offsets[partition] = acknowledged(sent.get(partition), partition).offset();
    }
    List<ConsumerRecord<byte[], byte[]>> others = new ArrayList<>();
    log.readOn(
        tails,
        (record, header) -> {
          if (others.isEmpty()
              && (header.captureEpoch() > captureEpoch
                  || (header.captureEpoch() == captureEpoch
                      && record.offset() < offsets[record.partition()]))) {
            others.add(record);
          }
        });
    if (!others.isEmpty()) {
      throw new EpochTakenException(
          "another capture has written to "
              + topic
              + "-"
              + others.get(0).partition()
              + " at offset "
              + others.get(0).offset()
              + " with epoch "
              + captureEpoch
              + " or higher");
    }
    return log.ends(tails);
  }

  @SuppressWarnings("unchecked")
  private ProducerRecord<byte[], byte[]> record(int partition, ChangeEvent event) {
    return (ProducerRecord<byte[], byte[]>)
        (ProducerRecord<?, byte[]>) codec.toRecord(topic, partition, event);
  }

  private RecordMetadata acknowledged(Future<RecordMetadata> future, int partition)
      throws InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(
          "Kafka refused the fence record of "
              + topic
              + "-"
              + partition
              + ": "
              + e.getCause()
              + ". Capture needs the right to write to this topic.",
          e);
    }
  }
}
