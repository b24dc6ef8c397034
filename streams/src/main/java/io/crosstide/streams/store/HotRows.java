package io.crosstide.streams.store;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one store that were last read or written, as they are in RocksDB. All open stores of
 * the process have equal shares of one budget. For the stream thread that has the store.
 */
final class HotRows {
  /** Key in the Streams configuration: bytes of all stores in the process. */
  static final String BYTES = "crosstide.rows.cache.bytes";

  private static final long BYTES_DEFAULT = 64L << 20;

  /** Keys' headers and elements; RowKeys documents the letters. */
  private static final String LETTERS = "KE";

  /** Longer ones are read from RocksDB each time. */
  private static final int ROW_BYTES_MAX = 4 << 10;

  /** What a row costs beside its bytes: two arrays, a key object, a map's entry. */
  private static final int ENTRY_BYTES = 128;

  /** Stores that share the budget. */
  private static final AtomicInteger OPEN = new AtomicInteger();

  private final Map<Bytes, byte[]> rows = new LinkedHashMap<>(16, 0.75f, true);
  private long budget = BYTES_DEFAULT;
  private long bytes;
  private boolean open;

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
    return rows.get(key);
  }

  /** The row has been read or written. */
  void put(Bytes key, byte[] row) {
    byte[] keyBytes = key.get();
    if (LETTERS.indexOf(keyBytes[0]) < 0) {
      return;
    }
    if (row.length > ROW_BYTES_MAX) {
      remove(key);
      return;
    }
    byte[] before = rows.put(key, row);
    bytes += row.length;
    if (before == null) {
      bytes += keyBytes.length + ENTRY_BYTES;
    } else {
      bytes -= before.length;
    }
    if (bytes > budget / Math.max(1, OPEN.get())) {
      evict();
    }
  }

  private void evict() {
    long share = budget / Math.max(1, OPEN.get());
    for (Iterator<Map.Entry<Bytes, byte[]>> eldest = rows.entrySet().iterator();
        bytes > share && eldest.hasNext(); ) {
      Map.Entry<Bytes, byte[]> row = eldest.next();
      bytes -= row.getKey().get().length + row.getValue().length + ENTRY_BYTES;
      eldest.remove();
    }
  }

  /** The row is deleted. */
  void remove(Bytes key) {
    byte[] before = rows.remove(key);
    if (before != null) {
      bytes -= key.get().length + before.length + ENTRY_BYTES;
    }
  }

  /** Bytes kept. */
  long bytes() {
    return bytes;
  }

  void clear() {
    rows.clear();
    bytes = 0;
  }
}
