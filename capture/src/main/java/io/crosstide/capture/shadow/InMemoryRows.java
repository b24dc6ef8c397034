package io.crosstide.capture.shadow;

import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Rows in a sorted map on the heap. */
final class InMemoryRows implements RowStore {
  private final TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);

  @Override
  public byte @Nullable [] get(byte[] row) {
    return rows.get(row);
  }

  @Override
  public RowScan scan(byte[] from, byte[] to, boolean descending) {
    return new Scan(from, to, descending);
  }

  @Override
  public void write(Consumer<RowBatch> writer) {
    writer.accept(
        new RowBatch() {
          @Override
          public void put(byte[] row, byte[] value) {
            rows.put(row, value);
          }

          @Override
          public void delete(byte[] row) {
            rows.remove(row);
          }

          @Override
          public void deleteRange(byte[] from, byte[] to) {
            rows.subMap(from, true, to, false).clear();
          }
        });
  }

  @Override
  public void close() {}

  /** Seeks anew for each step, so that rows may change meanwhile. */
  private final class Scan implements RowScan {
    private final NavigableMap<byte[], byte[]> range;
    private Map.@Nullable Entry<byte[], byte[]> at;
    private boolean started;

    Scan(byte[] from, byte[] to, boolean descending) {
      NavigableMap<byte[], byte[]> ascending = rows.subMap(from, true, to, false);
      range = descending ? ascending.descendingMap() : ascending;
    }

    @Override
    public boolean next() {
      if (!started) {
        started = true;
        at = range.firstEntry();
      } else if (at != null) {
        at = range.higherEntry(at.getKey());
      }
      return at != null;
    }

    @Override
    public byte[] row() {
      return current().getKey();
    }

    @Override
    public byte[] value() {
      return current().getValue();
    }

    private Map.Entry<byte[], byte[]> current() {
      Map.Entry<byte[], byte[]> entry = at;
      if (entry == null) {
        throw new IllegalStateException("the scan is not at a row: call next() first");
      }
      return entry;
    }

    @Override
    public void close() {}
  }
}
