package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Cell.Increment;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.IncrementLog;
import io.crosstide.crdt.IncrementRun;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import io.crosstide.protocol.Element;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The increments that are too many for their cells, in rows: {@code I} rows hold chunks of them,
 * {@code D} rows say which chunks may be deleted, {@code F} rows have a cell visited once some of
 * them are stable, so that a counter at rest becomes small again.
 *
 * <p>Invariants. A cell's {@code I} rows hold what its {@link Cell#spilled()} sums up, and chunks
 * named by a {@code D} row. A cell with spilled increments has an {@code F} row, at one of them or
 * at an expiry that keeps them from folding.
 *
 * <p>Removals and folds delete nothing themselves: they would take as long as there are chunks.
 */
final class IncrementRows {
  /** Remembered sums: several contexts that hide half a counter, of a few counters. */
  private static final int SUMS_MAX = 256;

  private record SumKey(Bytes log, long firstSeq, long seq) {}

  private final RowStore rows;
  private final SpillRule rule;

  /**
   * Sums of what an unsettled expiry hides, which every event on the key asks for. They never
   * become wrong: the increments between two that have been received are the same for ever.
   */
  private final Map<SumKey, IncrementLog.Prefix> sums =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<SumKey, IncrementLog.Prefix> eldest) {
          return size() > SUMS_MAX;
        }
      };

  /**
   * Whether there may be {@code D} rows. To look for one where none is may take long: the search
   * walks over the tombstones of all rows that were deleted behind, such as those of {@link
   * Garbage}, and ends by reading the row behind them, which may be a string of 60 MB.
   */
  private boolean mayHoldDropped = true;

  IncrementRows(RowStore rows, SpillRule rule) {
    this.rows = rows;
    this.rule = rule;
  }

  /** Where the increments of {@code element} lie that are not in its cell. */
  IncrementLog of(Element element) {
    return new Log(element);
  }

  /** {@code after} as it is to be stored where {@code before} is; its rows are written here. */
  Cell store(Element element, Cell before, Cell after) {
    if (before.spilled().isEmpty() && after.increments().size() <= rule.keep()) {
      return after;
    }
    Cell stored = after.stored(before, rule, of(element));
    if (before.spilled().isEmpty() && !stored.spilled().isEmpty()) {
      awaitFold(element, stored);
    }
    return stored;
  }

  /** Has a cell with spilled increments visited once some of them are stable. */
  void awaitFold(Element element, Cell cell) {
    Cell.Spilled any = cell.spilled().get(0);
    awaitFold(element, new Dot(any.origin(), any.lastSeq()));
  }

  /** Has the cell visited once {@code dot} is stable. */
  void awaitFold(Element element, Dot dot) {
    rows.put(RowKeys.waiting('F', dot, RowKeys.cell(element)), new byte[0]);
  }

  /** Deletes about {@code max} chunks that nothing asks for again. */
  void deleteDropped(int max) {
    if (!mayHoldDropped) {
      return;
    }
    List<byte[][]> due = new ArrayList<>();
    rows.scan(
        RowKeys.DROPPED,
        null,
        (key, value) -> {
          due.add(new byte[][] {key, value});
          return due.size() < max;
        });
    mayHoldDropped = !due.isEmpty();
    int left = max;
    for (byte[][] drop : due) {
      if (left <= 0) {
        return;
      }
      left -= Math.max(1, deleteDropped(drop[0], Range.decode(drop[1]), left));
    }
  }

  private int deleteDropped(byte[] drop, Range range, int max) {
    byte[] log = RowKeys.parseDropped(drop);
    List<byte[]> chunks = new ArrayList<>();
    rows.scan(
        log,
        before(log, range.fromSeq()),
        (key, value) -> {
          if (RowKeys.parseChunk(key) >= range.belowSeq()) {
            return false;
          }
          chunks.add(key);
          return chunks.size() < max;
        });
    chunks.forEach(rows::delete);
    if (chunks.size() < max) {
      rows.delete(drop);
    } else {
      long last = RowKeys.parseChunk(chunks.get(max - 1));
      rows.put(drop, new Range(last + 1, range.belowSeq()).encode());
    }
    return chunks.size();
  }

  /** The greatest key below the chunk that ends at {@code seq}. */
  private static byte[] before(byte[] log, long seq) {
    return RowKeys.chunk(log, seq - 1);
  }

  /** Chunks that end from the first seq on and before the second. */
  private record Range(long fromSeq, long belowSeq) {
    byte[] encode() {
      return new ByteWriter(16).varint(fromSeq).varint(belowSeq).toByteArray();
    }

    static Range decode(byte[] row) {
      ByteReader in = new ByteReader(row);
      return new Range(in.varint(), in.varint());
    }

    Range join(Range other) {
      return new Range(Math.min(fromSeq, other.fromSeq), Math.max(belowSeq, other.belowSeq));
    }
  }

  /** The rows of one element. */
  private final class Log implements IncrementLog {
    private final Element element;

    Log(Element element) {
      this.element = element;
    }

    private byte[] rowsOf(Origin origin) {
      return RowKeys.increments(element, origin);
    }

    @Override
    public void scan(Origin origin, long fromSeq, ChunkVisitor visitor) {
      byte[] log = rowsOf(origin);
      rows.scan(
          log,
          before(log, fromSeq),
          (key, value) -> visitor.chunk(IncrementRun.decode(new ByteReader(value), origin)));
    }

    @Override
    public void put(Origin origin, List<Increment> chunk) {
      ByteWriter out = new ByteWriter(16 + 8 * chunk.size());
      IncrementRun.encode(out, chunk);
      long last = chunk.get(chunk.size() - 1).dot().seq();
      rows.put(RowKeys.chunk(rowsOf(origin), last), out.toByteArray());
    }

    @Override
    public void drop(Origin origin, long fromSeq, long belowSeq) {
      mayHoldDropped = true;
      byte[] key = RowKeys.dropped(rowsOf(origin));
      byte[] row = rows.get(key);
      Range range = new Range(fromSeq, belowSeq);
      rows.put(key, (row == null ? range : range.join(Range.decode(row))).encode());
    }

    @Override
    public Prefix upTo(Origin origin, long firstSeq, long seq) {
      SumKey key = new SumKey(Bytes.wrap(rowsOf(origin)), firstSeq, seq);
      IncrementLog.@Nullable Prefix known = sums.get(key);
      if (known == null) {
        known = IncrementLog.super.upTo(origin, firstSeq, seq);
        sums.put(key, known);
      }
      return known;
    }
  }
}
