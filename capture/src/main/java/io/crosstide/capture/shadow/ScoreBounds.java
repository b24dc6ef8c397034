package io.crosstide.capture.shadow;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the by-score rows of recently walked sorted sets begin and end, as far as walks have shown.
 *
 * <p>Taking from one end of a sorted set, as queues do, leaves deleted rows there that every walk
 * from that end would pass over again: without bounds, the cost of a pop grows with the number of
 * pops before it. Forgotten bounds cost one such walk.
 */
final class ScoreBounds {
  private static final int SETS_MAX = 1024;

  /** By generation: all rows lie in [first, last]. Null where no walk has shown it. */
  private final Map<Long, Bounds> bounds =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Bounds> eldest) {
          return size() > SETS_MAX;
        }
      };

  private static final class Bounds {
    byte @Nullable [] first;
    byte @Nullable [] last;
  }

  /** No row stands before this one; null if unknown. */
  byte @Nullable [] first(long generation) {
    Bounds of = bounds.get(generation);
    return of == null ? null : of.first;
  }

  /** No row stands after this one; null if unknown. */
  byte @Nullable [] last(long generation) {
    Bounds of = bounds.get(generation);
    return of == null ? null : of.last;
  }

  /** A walk from the end given by {@code descending} met {@code row} first. */
  void walked(long generation, boolean descending, byte[] row) {
    Bounds of = bounds.computeIfAbsent(generation, g -> new Bounds());
    if (descending) {
      of.last = row;
    } else {
      of.first = row;
    }
  }

  /** {@code row} was written. */
  void written(long generation, byte[] row) {
    if (bounds.isEmpty()) {
      return;
    }
    Bounds of = bounds.get(generation);
    if (of == null) {
      return;
    }
    if (of.first != null && Arrays.compareUnsigned(row, of.first) < 0) {
      of.first = row;
    }
    if (of.last != null && Arrays.compareUnsigned(row, of.last) > 0) {
      of.last = row;
    }
  }
}
