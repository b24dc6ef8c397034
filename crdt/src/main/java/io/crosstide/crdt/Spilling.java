package io.crosstide.crdt;

import io.crosstide.crdt.Cell.Increment;
import io.crosstide.crdt.Cell.Spilled;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Keeps a cell's {@link IncrementLog} in step with the cell. */
final class Spilling {
  private Spilling() {}

  /** {@code cell} as it is to be stored in place of {@code before}. */
  static Cell store(Cell cell, Cell before, SpillRule rule, IncrementLog log) {
    for (Spilled then : before.spilled()) {
      Spilled now = cell.spilled(then.origin());
      if (now == null) {
        log.drop(then.origin(), then.firstSeq(), then.lastSeq() + 1);
      } else if (now.firstSeq() > then.firstSeq()) {
        log.drop(then.origin(), then.firstSeq(), now.firstSeq());
        trimFirstChunk(now, log);
      }
    }
    return spill(cell, rule, log);
  }

  /** Takes what is gone out of the chunk that the first increment still there lies in. */
  private static void trimFirstChunk(Spilled part, IncrementLog log) {
    List<Increment> chunk = new ArrayList<>();
    log.scan(
        part.origin(),
        part.firstSeq(),
        first -> {
          chunk.addAll(first);
          return false;
        });
    if (chunk.removeIf(increment -> increment.dot().seq() < part.firstSeq())) {
      log.put(part.origin(), chunk);
    }
  }

  private static Cell spill(Cell cell, SpillRule rule, IncrementLog log) {
    List<Increment> increments = cell.increments();
    if (increments.size() <= rule.keep()) {
      return cell;
    }
    List<Increment> kept = new ArrayList<>(increments.size());
    List<Spilled> spilled = new ArrayList<>(cell.spilled());
    int from = 0;
    while (from < increments.size()) {
      int to = cell.endOfRun(from);
      for (int i = from, first = from; first < to && i < to - rule.keep(); i++) {
        if (rule.endsChunk(increments.get(i).dot().seq())) {
          spill(spilled, List.copyOf(increments.subList(first, i + 1)), log);
          first = i + 1;
          from = first;
        }
      }
      kept.addAll(increments.subList(from, to));
      from = to;
    }
    if (kept.size() == increments.size()) {
      return cell;
    }
    spilled.sort(Comparator.comparing(Spilled::origin));
    return new Cell(cell.writes(), kept, List.copyOf(spilled), cell.folded(), cell.removed());
  }

  private static void spill(List<Spilled> spilled, List<Increment> chunk, IncrementLog log) {
    Dot first = chunk.get(0).dot();
    log.put(first.origin(), chunk);
    for (int i = 0; i < spilled.size(); i++) {
      if (spilled.get(i).origin().equals(first.origin())) {
        spilled.set(i, spilled.get(i).with(chunk));
        return;
      }
    }
    Spilled nothing =
        new Spilled(first.origin(), first.seq(), 0, HybridTimestamp.ZERO, 0, BigDecimal.ZERO);
    spilled.add(nothing.with(chunk));
  }
}
