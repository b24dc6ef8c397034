package io.crosstide.protocol.merge;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Element;

/**
 * What a {@link PartitionMerger} tells while it works: for metrics, conflict records and logs. All
 * calls come from the owner's thread.
 */
public interface MergerListener {
  /** A remote event's effects are planned; {@code effects} may be 0. */
  default void merged(ChangeEvent event, int effects) {}

  /** A record that had been received before, by another path or sending. */
  default void duplicate(ChangeEvent event) {}

  /** A record of a capture that has been replaced (P16). */
  default void fenced(ChangeEvent event) {}

  /** Concurrent writes of which one is not to be seen. */
  default void conflict(ChangeEvent event, Element element) {}

  /** An effect did not pass its guard: a local write was on its way, or belief was wrong. */
  default void miss(Element element, String reason) {}

  default void probe(Element element) {}

  /** Redis refuses the merged value for good (P26). */
  default void unrepresentable(Element element, String reason) {}

  default void refused(String error) {}
}
