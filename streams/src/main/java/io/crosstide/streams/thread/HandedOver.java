package io.crosstide.streams.thread;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;

/**
 * How many bytes of records a stream thread has read and not yet processed. Kafka Streams bounds
 * what it buffers by their number only, and records here may have 64 MB each: beyond a bound no
 * more are read. Confined to the stream thread.
 *
 * <p>It errs towards reading. Records that Streams drops, as it does with those of a partition that
 * it gives up, are never processed; so if a whole round passes in which nothing is, nothing is left
 * there, whatever was counted.
 */
final class HandedOver {
  private final long bytesMax;
  private long bytes;
  private boolean processed;

  HandedOver(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Asked before each poll: whether it should bring nothing. */
  boolean isFull() {
    if (bytes >= bytesMax && !processed) {
      bytes = 0;
    }
    processed = false;
    return bytes >= bytesMax;
  }

  /** Whether another poll of the same round may bring more. */
  boolean hasRoom() {
    return bytes < bytesMax;
  }

  void read(ConsumerRecords<byte[], byte[]> records) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      bytes += length(record.key()) + length(record.value());
    }
  }

  void processed(long recordBytes) {
    bytes = Math.max(0, bytes - recordBytes);
    processed = true;
  }

  /** Streams begins to read a partition elsewhere: it has dropped what it had. */
  void forget() {
    bytes = 0;
  }

  long bytes() {
    return bytes;
  }

  static long length(byte @Nullable [] array) {
    return array == null ? 0 : array.length;
  }
}
