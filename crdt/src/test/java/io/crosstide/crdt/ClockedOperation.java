package io.crosstide.crdt;

import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation on one cell with its identity, its time, and what its region had seen; and what a
 * set of them means, straight from SEMANTICS.
 *
 * @param seen all logs, the own one included
 */
record ClockedOperation(Dot dot, HybridTimestamp stamp, VersionVector seen, Operation operation) {
  sealed interface Operation {}

  record Write(Bytes value) implements Operation {}

  record Add(BigDecimal delta) implements Operation {}

  record Remove() implements Operation {}

  Cell applyTo(Cell cell, IncrementLog log) {
    if (operation instanceof Write write) {
      return cell.write(dot, stamp, write.value(), seen, log);
    } else if (operation instanceof Add add) {
      return cell.increment(dot, stamp, add.delta());
    }
    return cell.remove(seen, log);
  }

  /** What a cell shows. */
  record Meaning(@Nullable Bytes value, @Nullable BigDecimal sum) {
    static Meaning of(Cell cell) {
      Cell.Write winner = cell.winner();
      return new Meaning(winner == null ? null : winner.value(), stripped(cell.sum()));
    }

    private static @Nullable BigDecimal stripped(@Nullable BigDecimal sum) {
      return sum == null ? null : sum.stripTrailingZeros();
    }
  }

  /**
   * The meaning of {@code operations}, naively: an operation is gone if some write or removal had
   * seen it; the newest write that is left is shown (at equal stamps that of the smaller region),
   * with the increments that are left on top.
   */
  static Meaning spec(List<ClockedOperation> operations) {
    ClockedOperation newest = null;
    BigDecimal sum = null;
    for (ClockedOperation candidate : operations) {
      boolean gone = false;
      for (ClockedOperation other : operations) {
        gone |= !(other.operation instanceof Add) && other.seen.covers(candidate.dot);
      }
      if (gone) {
        continue;
      }
      if (candidate.operation instanceof Add add) {
        sum = sum == null ? add.delta() : sum.add(add.delta());
      } else if (candidate.operation instanceof Write
          && (newest == null || candidate.isNewerThan(newest))) {
        newest = candidate;
      }
    }
    Bytes value = newest != null && newest.operation instanceof Write w ? w.value() : null;
    return new Meaning(value, Meaning.stripped(sum));
  }

  private boolean isNewerThan(ClockedOperation other) {
    int byStamp = stamp.compareTo(other.stamp);
    return byStamp > 0 || (byStamp == 0 && dot.origin().regionId() < other.dot.origin().regionId());
  }
}
