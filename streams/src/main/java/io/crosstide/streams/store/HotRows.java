package io.crosstide.streams.store;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one store that were last read or written, as they are in RocksDB. All open stores of
 * the process have equal shares of one budget. For the stream thread that has the store.
 *
 * <p>Rows go in the order they came in, those used meanwhile get a second chance: a list kept in
 * the order of use would have each reading touch four more rows, none of them in the CPU's caches.
 */
final class HotRows {
  /** Key in the Streams configuration: bytes of all stores in the process. */
  static final String BYTES = "crosstide.rows.cache.bytes";

  private static final long BYTES_DEFAULT = 96L << 20;

  /** Keys' headers and elements; RowKeys documents the letters. */
  private static final String LETTERS = "KE";

  /** Longer ones are read from RocksDB each time. */
  private static final int ROW_BYTES_MAX = 4 << 10;

  /** What a row costs beside its bytes: two arrays, a key object, a row, a map's entry. */
  private static final int ENTRY_BYTES = 144;

  /** Removed rows that may wait to be forgotten, beside as many as there are others. */
  private static final int ORDER_SLACK = 1024;

  /** Stores that share the budget. */
  private static final AtomicInteger OPEN = new AtomicInteger();

  private final Map<Bytes, Row> rows = new HashMap<>();

  /** In the order they came in, removed ones included. */
  private final Deque<Row> order = new ArrayDeque<>();

  private long budget = BYTES_DEFAULT;
  private long bytes;
  private boolean open;

  private static final class Row {
    private final Bytes key;

    /** Null: removed. */
    private byte @Nullable [] value;

    private boolean used;

    Row(Bytes key, byte[] value) {
      this.key = key;
      this.value = value;
    }
  }

  /** The store is opened. */
  void open(Map<String, Object> configs) {
    Object configured = configs.get(BYTES);
    budget = configured == null ? BYTES_DEFAULT : Long.parseLong(configured.toString());
    if (!open) {
      open = true;
      OPEN.incrementAndGet();
    }
  }

  /** The store is closed. */
  void close() {
    clear();
    if (open) {
      open = false;
      OPEN.decrementAndGet();
    }
  }

  /** The row, or null if it is not kept here. */
  byte @Nullable [] get(Bytes key) {
    Row row = rows.get(key);
    if (row == null) {
      return null;
    }
    row.used = true;
    return row.value;
  }

  /** The row has been read or written. */
  void put(Bytes key, byte[] value) {
    byte[] keyBytes = key.get();
    if (LETTERS.indexOf(keyBytes[0]) < 0) {
      return;
    }
    if (value.length > ROW_BYTES_MAX) {
      remove(key);
      return;
    }
    Row row = rows.get(key);
    if (row == null) {
      row = new Row(key, value);
      rows.put(key, row);
      order.addLast(row);
      bytes += bytesOf(key, value);
    } else {
      bytes += value.length - lengthOf(row.value);
      row.value = value;
      row.used = true;
    }
    if (bytes > budget / Math.max(1, OPEN.get())) {
      evict();
    }
  }

  private static int lengthOf(byte @Nullable [] value) {
    return value == null ? 0 : value.length;
  }

  private static int bytesOf(Bytes key, byte @Nullable [] value) {
    return key.get().length + lengthOf(value) + ENTRY_BYTES;
  }

  private void evict() {
    long share = budget / Math.max(1, OPEN.get());
    while (bytes > share) {
      Row eldest = order.pollFirst();
      if (eldest == null) {
        return;
      }
      if (eldest.value != null) {
        if (eldest.used) {
          eldest.used = false;
          order.addLast(eldest);
        } else {
          rows.remove(eldest.key);
          bytes -= bytesOf(eldest.key, eldest.value);
        }
      }
    }
  }

  /** The row is deleted. */
  void remove(Bytes key) {
    Row row = rows.remove(key);
    if (row != null) {
      bytes -= bytesOf(row.key, row.value);
      row.value = null;
      if (order.size() > 2 * rows.size() + ORDER_SLACK) {
        order.removeIf(each -> each.value == null);
      }
    }
  }

  /** Rows kept, and removed ones not forgotten yet. */
  int remembered() {
    return order.size();
  }

  /** Bytes kept. */
  long bytes() {
    return bytes;
  }

  void clear() {
    rows.clear();
    order.clear();
    bytes = 0;
  }
}
