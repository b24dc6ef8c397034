package io.crosstide.capture.publish;

/** Reads what others have appended among this capture's records. */
public interface ForeignRecords {
  /**
   * The highest capture epoch among the records from offset {@code from} to before {@code to}; 0 if
   * none of them is there any more.
   *
   * @throws org.apache.kafka.common.KafkaException if they cannot be read now
   */
  int captureEpochMax(int partition, long from, long to);
}
