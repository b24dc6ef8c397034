package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.IncrementLog;
import io.crosstide.crdt.SpillRule;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cells of elements in rows, each with its {@link IncrementLog}. A string's cell lies in its
 * key's header, which others load and store; only its log is here.
 */
final class CellRows {
  private static final int CHUNK = 256;

  interface Visitor {
    void cell(Element element, Cell cell);
  }

  private final RowStore rows;
  private final IncrementRows increments;

  CellRows(RowStore rows, SpillRule rule) {
    this.rows = rows;
    increments = new IncrementRows(rows, rule);
  }

  IncrementLog log(Element element) {
    return increments.of(element);
  }

  /** The stored cell of {@code element}, which is no string; null if there is none. */
  @Nullable Cell load(Element element) {
    byte[] row = rows.get(RowKeys.element(element));
    return row == null ? null : Cell.decode(new ByteReader(row));
  }

  /**
   * Stores {@code after} in place of {@code before}, which may be no row yet.
   *
   * @return whether there is a row now; the key's header counts them
   */
  boolean store(Element element, Cell before, Cell after) {
    Cell stored = spill(element, before, after);
    byte[] rowKey = RowKeys.element(element);
    if (stored.isBlank()) {
      rows.delete(rowKey);
      return false;
    }
    ByteWriter out = new ByteWriter(64);
    stored.encode(out);
    rows.put(rowKey, out.toByteArray());
    return true;
  }

  /** {@code after} as it is to be stored where {@code before} is; its log is written here. */
  Cell spill(Element element, Cell before, Cell after) {
    return increments.store(element, before, after);
  }

  /** Has a cell with spilled increments visited once some of them are stable. */
  void awaitFold(Element element, Cell cell) {
    increments.awaitFold(element, cell);
  }

  /** Has the cell visited once {@code dot} is stable. */
  void awaitFold(Element element, Dot dot) {
    increments.awaitFold(element, dot);
  }

  /** Deletes about {@code max} chunks of increments that nothing asks for again. */
  void deleteDropped(int max) {
    increments.deleteDropped(max);
  }

  /**
   * Visits the element rows of {@code key} in chunks, so that the visitor may change rows already
   * visited.
   */
  void forEach(RedisKey key, Visitor visitor) {
    byte[] prefix = RowKeys.elements(key);
    byte[] after = null;
    while (true) {
      List<Map.Entry<byte[], byte[]>> chunk = new ArrayList<>();
      rows.scan(
          prefix,
          after,
          (rowKey, value) -> {
            chunk.add(Map.entry(rowKey, value));
            return chunk.size() < CHUNK;
          });
      for (Map.Entry<byte[], byte[]> row : chunk) {
        visitor.cell(
            RowKeys.parseElement(row.getKey()), Cell.decode(new ByteReader(row.getValue())));
        after = row.getKey();
      }
      if (chunk.size() < CHUNK) {
        return;
      }
    }
  }
}
