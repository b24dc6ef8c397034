package io.crosstide.streams.topics;

/** Tells where the region's own log ends. */
@FunctionalInterface
public interface LogEnds {
  /**
   * The last seq in the region's own log of {@code partition}, 0 if it is empty.
   *
   * @throws org.apache.kafka.common.errors.TimeoutException if Kafka does not answer now
   */
  long lastSeq(int partition);
}
