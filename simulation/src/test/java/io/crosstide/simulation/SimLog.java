package io.crosstide.simulation;

import io.crosstide.capture.position.LogEnd;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.ChangeEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A region's own log in its own Kafka: one partition. */
final class SimLog {
  private static final int UNKNOWN = -1;

  final List<ChangeEvent> records = new ArrayList<>();
  private int captureEpoch;

  /**
   * Appends a record.
   *
   * @return whether it counts: false if a capture that has been replaced wrote it (P16)
   */
  boolean append(ChangeEvent event) {
    records.add(event);
    if (event.captureEpoch() < captureEpoch) {
      return false;
    }
    captureEpoch = event.captureEpoch();
    return true;
  }

  int size() {
    return records.size();
  }

  /** What {@code OwnLog} would find: the twin of its search. */
  LogEnd end() {
    int epoch = 0;
    long seq = 0;
    long stampMax = 0;
    long replOffset = UNKNOWN;
    int index = UNKNOWN;
    for (ChangeEvent event : records) {
      if (event.captureEpoch() < epoch) {
        continue;
      }
      epoch = event.captureEpoch();
      stampMax = Math.max(stampMax, event.stamp().packed());
      if (!event.isControl()) {
        replOffset = event.position().replOffset();
        index = event.position().index();
      } else if (event.seq() > seq) {
        replOffset = UNKNOWN;
        index = UNKNOWN;
      }
      seq = Math.max(seq, event.seq());
    }
    return new LogEnd(epoch, seq, new HybridTimestamp(stampMax), replOffset, index, false);
  }

  /** As {@code OwnLog.eventsAfter}. */
  void eventsAfter(long seq, Consumer<ChangeEvent> receiver) {
    int epoch = 0;
    long expected = seq + 1;
    for (ChangeEvent event : List.copyOf(records)) {
      if (event.captureEpoch() < epoch) {
        continue;
      }
      epoch = event.captureEpoch();
      if (event.isControl() || event.seq() < expected) {
        continue;
      }
      if (event.seq() != expected) {
        throw new IllegalStateException("the log has no event " + expected);
      }
      receiver.accept(event);
      expected++;
    }
  }

  /** What an owner of the partition reads as the log's end: the last record's seq. */
  long lastSeq() {
    return records.isEmpty() ? 0 : records.get(records.size() - 1).seq();
  }
}
