package io.crosstide.protocol.merge;

import io.crosstide.crdt.Cell;
import io.crosstide.protocol.ElementKind;
import org.jspecify.annotations.Nullable;

/** The type of a key while elements of several types survive: that of the newest write. */
final class NewestKind {
  private @Nullable ElementKind kind;
  private Cell.@Nullable Write write;

  /** Takes an element into account, without what is hidden of it. */
  void add(ElementKind of, Cell cell) {
    Cell.Write candidate = cell.newest();
    if (candidate != null && (write == null || Cell.NEWEST_FIRST.compare(candidate, write) < 0)) {
      write = candidate;
      kind = of;
    }
  }

  /** Null if nothing is visible. */
  @Nullable ElementKind get() {
    return kind;
  }
}
