package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * What a cell shows: the winning write with the surviving increments on top; of a string whose
 * surviving writes are HyperLogLogs, what counts all that they count.
 */
public final class Visible {
  private Visible() {}

  /** The content Redis should hold for a cell of {@code kind}. */
  public static Content of(ElementKind kind, Cell cell) {
    if (kind == ElementKind.STREAM) {
      return StreamVisible.of(cell);
    }
    Cell.Write winner = cell.winner();
    BigDecimal sum = cell.sum();
    if (winner == null) {
      return sum == null ? Content.ABSENT : Content.of(Numbers.format(kind, sum));
    }
    Bytes union = union(kind, cell);
    if (union != null) {
      return Content.of(union);
    }
    if (sum == null) {
      return Content.of(winner.value());
    }
    BigDecimal base = Numbers.parse(kind, winner.value());
    return base == null
        ? Content.of(winner.value())
        : Content.of(Numbers.format(kind, base.add(sum)));
  }

  private static @Nullable Bytes union(ElementKind kind, Cell cell) {
    return kind == ElementKind.STRING && cell.writes().size() > 1
        ? HyperLogLogs.union(cell.writes().stream().map(Cell.Write::value).toList())
        : null;
  }

  /** A visible write that is no number, so that increments it had not seen are lost to it. */
  static boolean dropsIncrements(ElementKind kind, Cell cell) {
    if (cell.writes().isEmpty() || (cell.increments().isEmpty() && cell.folded().isEmpty())) {
      return false;
    }
    Cell.Write winner = cell.winner();
    return winner != null && cell.sum() != null && Numbers.parse(kind, winner.value()) == null;
  }

  /** Concurrent writes with different values survive, so that one of them is not seen. */
  static boolean hasLosers(ElementKind kind, Cell cell) {
    if (cell.writes().size() < 2 || union(kind, cell) != null) {
      return false;
    }
    Cell.@Nullable Write first = null;
    for (Cell.Write write : cell.writes()) {
      if (first != null && !first.value().equals(write.value())) {
        return true;
      }
      first = write;
    }
    return false;
  }
}
