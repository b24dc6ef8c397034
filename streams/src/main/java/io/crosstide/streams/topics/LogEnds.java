package io.crosstide.streams.topics;

import io.crosstide.protocol.merge.PartitionMerger;

/** Tells where the region's own log ends. */
@FunctionalInterface
public interface LogEnds {
  /**
   * The last seq in the region's own log of {@code partition}, 0 if it is empty. What a capture
   * that has been replaced still appended does not count (P16).
   *
   * @param received how far the log has been received already: it need not be looked at further
   *     back
   * @throws org.apache.kafka.common.errors.TimeoutException if Kafka does not answer now
   */
  long lastSeq(int partition, PartitionMerger.Received received);
}
