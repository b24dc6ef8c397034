package io.crosstide.capture.rdb;

import io.crosstide.protocol.ChangeEvent;
import java.util.function.Consumer;

/** The region's own log, read again. */
public interface LocalLog {
  /**
   * Hands over the partition's events with a seq above {@code seq}, in order.
   *
   * @throws IllegalStateException if one is missing: the log has lost events
   */
  void eventsAfter(int partition, long seq, Consumer<ChangeEvent> receiver);
}
