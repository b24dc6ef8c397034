package io.crosstide.capture.shadow;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The rows at both ends of the lists last used.
 *
 * <p>Taking from an end leaves deleted rows, which every walk from that end, or from what was put
 * there since, would pass over again: the cost of a pop would grow with the number of pops before
 * it. And finding an end by a walk costs ten times what it costs to read it. Forgotten ends cost
 * one walk.
 *
 * <p>Invariant: the rows kept of an end are all that the list has from the innermost of them to
 * that end; none stands outside of the bound.
 */
final class ListEnds {
  /** Rows kept of each end. */
  static final int ROWS_MAX = 16;

  private static final int LISTS_MAX = 1024;
  private static final Comparator<byte[]> FROM_HEAD = Arrays::compareUnsigned;

  /** By generation. */
  private final Map<Long, Ends> lists =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Ends> eldest) {
          return size() > LISTS_MAX;
        }
      };

  private static final class Ends {
    final End head = new End(FROM_HEAD);
    final End tail = new End(FROM_HEAD.reversed());
  }

  private static final class End {
    private final Comparator<byte[]> inwards;
    final TreeSet<byte[]> rows;

    /** Nothing stands outside of it; null if that is not known. */
    byte @Nullable [] bound;

    End(Comparator<byte[]> inwards) {
      this.inwards = inwards;
      this.rows = new TreeSet<>(inwards);
    }

    void add(byte[] row) {
      rows.add(row);
      if (rows.size() > ROWS_MAX) {
        rows.pollLast();
      }
      bound = rows.first();
    }

    void written(byte[] row) {
      if (!rows.isEmpty() && inwards.compare(row, rows.last()) < 0) {
        add(row);
      } else if (bound != null && inwards.compare(row, bound) < 0) {
        bound = row;
      }
    }
  }

  private @Nullable End known(long generation, boolean tail) {
    Ends ends = lists.get(generation);
    return ends == null ? null : end(ends, tail);
  }

  private static End end(Ends ends, boolean tail) {
    return tail ? ends.tail : ends.head;
  }

  /** The row so many before the last or behind the first; null if it is not known. */
  byte @Nullable [] row(long generation, boolean tail, int skip) {
    End end = known(generation, tail);
    if (end == null || end.rows.size() <= skip) {
      return null;
    }
    if (skip == 0) {
      return end.rows.first();
    }
    Iterator<byte[]> inwards = end.rows.iterator();
    for (int i = 0; i < skip; i++) {
      inwards.next();
    }
    return inwards.next();
  }

  /** No row stands nearer to this end; null if that is not known. */
  byte @Nullable [] bound(long generation, boolean tail) {
    End end = known(generation, tail);
    return end == null ? null : end.bound;
  }

  /** A walk from an end met these rows, and none between them. */
  void found(long generation, boolean tail, List<byte[]> rows) {
    End end = end(lists.computeIfAbsent(generation, g -> new Ends()), tail);
    end.rows.clear();
    rows.forEach(end::add);
  }

  /** A row was written that is the first or last one now; {@link #written} was told of it. */
  void madeEnd(long generation, boolean tail, byte[] row) {
    end(lists.computeIfAbsent(generation, g -> new Ends()), tail).add(row);
  }

  /** A row was written, anywhere. */
  void written(long generation, byte[] row) {
    Ends ends = lists.get(generation);
    if (ends != null) {
      ends.head.written(row);
      ends.tail.written(row);
    }
  }

  void removed(long generation, byte[] row) {
    Ends ends = lists.get(generation);
    if (ends != null) {
      ends.head.rows.remove(row);
      ends.tail.rows.remove(row);
    }
  }
}
