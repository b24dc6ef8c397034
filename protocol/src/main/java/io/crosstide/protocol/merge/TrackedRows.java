package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows that name the tracked elements (P11), many to a row. An element is tracked for some 100
 * ms, from its effect to the effect's echo, mostly within one commit interval: it is named only if
 * a commit finds it tracked, so that most never are.
 *
 * <p>A row may name elements that are tracked no more, or again and in another row: a successor
 * asks for them in vain, which does no harm. Once they are the greater part, the others move to a
 * new row.
 */
final class TrackedRows {
  private static final int ELEMENTS_PER_ROW_MAX = 1024;
  private static final int ROW_BYTES_MAX = 64 << 10;

  /** A row as written. */
  static final class Row {
    private final long id;
    private int named;
    private int tracked;

    private Row(long id) {
      this.id = id;
    }

    private boolean isSparse() {
      return tracked * 2 <= named;
    }
  }

  private final RowStore store;
  private final Map<Long, Row> rows = new HashMap<>();
  private long lastId;

  /** Elements are tracked that no row names, or a row has become sparse. */
  private boolean changed;

  TrackedRows(RowStore store) {
    this.store = store;
  }

  /** Reads all rows; hands each element over with its row. */
  void restore(Restored restored) {
    rows.clear();
    lastId = 0;
    changed = false;
    store.scan(
        RowKeys.TRACKED,
        null,
        (key, value) -> {
          Row row = new Row(RowKeys.parseTracked(key));
          rows.put(row.id, row);
          lastId = Math.max(lastId, row.id);
          ByteReader in = new ByteReader(value);
          while (!in.atEnd()) {
            RedisKey name = new RedisKey((int) in.varint(), in.bytes());
            Element element = new Element(name, ElementKind.ofTag((char) in.u8()), in.bytes());
            row.named++;
            if (restored.element(element, row)) {
              row.tracked++;
            }
          }
          changed |= row.isSparse();
          return true;
        });
  }

  /** Receives what {@link #restore} reads. */
  interface Restored {
    /**
     * @return false if another row has named the element before
     */
    boolean element(Element element, Row row);
  }

  /** An element is tracked that was not. */
  void added() {
    changed = true;
  }

  /**
   * An element is tracked no more.
   *
   * @param row that names it; null if none does
   */
  void removed(@Nullable Row row) {
    if (row != null) {
      row.tracked--;
      changed |= row.isSparse();
    }
  }

  /** Names all of {@code tracked}, by key, in rows; before each commit. */
  void persist(Collection<Map<Element, Tracked>> tracked) {
    if (!changed) {
      return;
    }
    changed = false;
    List<Tracked> unnamed = new ArrayList<>();
    for (Map<Element, Tracked> ofKey : tracked) {
      for (Tracked element : ofKey.values()) {
        if (element.row == null || element.row.isSparse()) {
          unnamed.add(element);
        }
      }
    }
    for (Iterator<Row> each = rows.values().iterator(); each.hasNext(); ) {
      Row row = each.next();
      if (row.isSparse()) {
        store.delete(RowKeys.tracked(row.id));
        each.remove();
      }
    }
    for (int from = 0; from < unnamed.size(); ) {
      from = write(unnamed, from);
    }
  }

  private int write(List<Tracked> unnamed, int from) {
    Row row = new Row(++lastId);
    ByteWriter out = new ByteWriter(1024);
    int at = from;
    while (at < unnamed.size()
        && row.named < ELEMENTS_PER_ROW_MAX
        && (row.named == 0 || out.size() < ROW_BYTES_MAX)) {
      Tracked tracked = unnamed.get(at++);
      Element element = tracked.element;
      out.varint(element.key().db()).bytes(element.key().name());
      out.u8(element.kind().tag()).bytes(element.name());
      tracked.row = row;
      row.named++;
      row.tracked++;
    }
    rows.put(row.id, row);
    store.put(RowKeys.tracked(row.id), out.toByteArray());
    return at;
  }
}
