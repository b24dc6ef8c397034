package io.crosstide.protocol.merge;

import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Merged state in memory, without a Redis: feed it events, each once and in its origin's order, and
 * ask what should be seen. Cells keep all their increments, so that nothing hangs on where an
 * owner's increments lie.
 */
public final class MergedKeys {
  private final MemoryRows rows = new MemoryRows();
  private final KeyMerger keys =
      new KeyMerger(rows, new CellRows(rows, SpillRule.NEVER), (event, element) -> {});
  private final SortedSet<Element> touched = new TreeSet<>();
  private VersionVector merged = VersionVector.EMPTY;

  public void merge(ChangeEvent event) {
    if (event.isControl()) {
      return;
    }
    merged = merged.with(event.origin(), event.seq());
    keys.merge(
        event,
        merged,
        VersionVector.EMPTY,
        (element, before, after, addressed) -> touched.add(element));
  }

  /** Elements that events have touched. */
  public SortedSet<Element> touched() {
    return touched;
  }

  public Content content(Element element) {
    return keys.view().wanted(element);
  }

  /** Rows in a sorted map. */
  private static final class MemoryRows implements RowStore {
    private final TreeMap<byte[], byte[]> map = new TreeMap<>(Arrays::compareUnsigned);

    @Override
    public byte @Nullable [] get(byte[] key) {
      return map.get(key);
    }

    @Override
    public void put(byte[] key, byte[] value) {
      map.put(key, value);
    }

    @Override
    public void delete(byte[] key) {
      map.remove(key);
    }

    @Override
    public void scanBack(byte[] prefix, byte[] before, Visitor visitor) {
      for (Map.Entry<byte[], byte[]> row : map.headMap(before, false).descendingMap().entrySet()) {
        byte[] key = row.getKey();
        boolean inside =
            key.length >= prefix.length
                && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
        if (!inside || !visitor.row(key, row.getValue())) {
          return;
        }
      }
    }

    @Override
    public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
      byte[] from = after == null ? prefix : after;
      for (Map.Entry<byte[], byte[]> row : map.tailMap(from, after == null).entrySet()) {
        byte[] key = row.getKey();
        boolean inside =
            key.length >= prefix.length
                && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
        if (!inside || !visitor.row(key, row.getValue())) {
          return;
        }
      }
    }
  }
}
