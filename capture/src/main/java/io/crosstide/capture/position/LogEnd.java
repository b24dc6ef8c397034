package io.crosstide.capture.position;

import io.crosstide.crdt.HybridTimestamp;

/**
 * What the last valid record of one partition of the own log says.
 *
 * @param captureEpoch of the capture that wrote it; 0 for an empty log
 * @param seq last one used; 0 for an empty log
 * @param stampMax highest stamp in the log's tail
 * @param replOffset of the event with {@code seq}; -1 if it is further back than was read
 * @param index of the event with {@code seq}; -1 likewise
 * @param recordOffset the Kafka offset after the last record looked at
 */
public record LogEnd(
    int captureEpoch,
    long seq,
    HybridTimestamp stampMax,
    long replOffset,
    int index,
    long recordOffset) {
  static final long UNKNOWN = -1;
}
