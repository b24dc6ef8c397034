package io.crosstide.capture.rdb;

import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records of one partition from an offset to another, one at a time. Owns its consumer.
 */
final class PartitionCursor implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final long STALLED_NANOS = 30_000_000_000L;

  private final Consumer<byte[], byte[]> consumer;
  private final TopicPartition partition;
  private final long end;
  private Iterator<ConsumerRecord<byte[], byte[]>> polled = Collections.emptyIterator();

  PartitionCursor(
      Consumer<byte[], byte[]> consumer, TopicPartition partition, long from, long end) {
    this.consumer = consumer;
    this.partition = partition;
    this.end = end;
    consumer.assign(List.of(partition));
    consumer.seek(partition, from);
  }

  /**
   * The next record; null at the end.
   *
   * @throws TimeoutException if Kafka is away
   */
  @Nullable ConsumerRecord<byte[], byte[]> next() {
    long startNanos = System.nanoTime();
    while (!polled.hasNext()) {
      if (consumer.position(partition) >= end) {
        return null;
      }
      if (System.nanoTime() - startNanos > STALLED_NANOS) {
        throw new TimeoutException(
            partition
                + " delivers nothing from offset "
                + consumer.position(partition)
                + " although it ends at "
                + end);
      }
      polled = consumer.poll(POLL).records(partition).iterator();
    }
    ConsumerRecord<byte[], byte[]> record = polled.next();
    return record.offset() < end ? record : null;
  }

  @Override
  public void close() {
    consumer.close();
  }
}
