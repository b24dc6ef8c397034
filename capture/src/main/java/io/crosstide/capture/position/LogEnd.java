package io.crosstide.capture.position;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.schemas.log.LogTail;

/**
 * What the last valid record of one partition of the own log says.
 *
 * @param captureEpoch of the capture that wrote it; 0 for an empty log
 * @param seq last one used; 0 for an empty log
 * @param stampMax highest stamp in the log's tail
 * @param replOffset of the event with {@code seq}; -1 if it is further back than was read
 * @param index of the event with {@code seq}; -1 likewise
 * @param emptied nothing is left of what the log once held: its retention has passed
 */
public record LogEnd(
    int captureEpoch,
    long seq,
    HybridTimestamp stampMax,
    long replOffset,
    int index,
    boolean emptied) {
  static final int UNKNOWN = -1;

  static LogEnd of(LogTail tail, long replOffset, int index) {
    return new LogEnd(
        tail.captureEpoch(),
        tail.seq(),
        tail.stampMax(),
        replOffset,
        index,
        tail.captureEpoch() == 0 && tail.endOffset() > 0);
  }
}
