package io.crosstide.protocol.merge;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A {@link RowStore} in memory, in unsigned byte order. Values are copied in and out, so that a
 * caller that keeps an array cannot change a row behind the store's back.
 *
 * <p>{@link #committed()} and {@link #MemoryRowStore(MemoryRowStore)} let a test crash an owner
 * back to an earlier state. Not thread-safe.
 */
public final class MemoryRowStore implements RowStore {
  private final TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
  private boolean scanning;

  public MemoryRowStore() {}

  /** A store that begins with the rows of {@code other} and goes its own way. */
  public MemoryRowStore(MemoryRowStore other) {
    rows.putAll(other.rows);
  }

  /** These rows as of now, to start a successor from after a crash. */
  public MemoryRowStore committed() {
    return new MemoryRowStore(this);
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    byte[] value = rows.get(key);
    return value == null ? null : value.clone();
  }

  @Override
  public void put(byte[] key, byte[] value) {
    assertNotScanning();
    rows.put(key.clone(), value.clone());
  }

  @Override
  public void delete(byte[] key) {
    assertNotScanning();
    rows.remove(key);
  }

  @Override
  public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
    SortedMap<byte[], byte[]> from =
        after != null && Arrays.compareUnsigned(after, prefix) >= 0
            ? rows.tailMap(after, false)
            : rows.tailMap(prefix, true);
    scanning = true;
    try {
      for (Map.Entry<byte[], byte[]> row : from.entrySet()) {
        if (!startsWith(row.getKey(), prefix)
            || !visitor.row(row.getKey().clone(), row.getValue().clone())) {
          return;
        }
      }
    } finally {
      scanning = false;
    }
  }

  @Override
  public void scanBack(byte[] prefix, byte[] before, Visitor visitor) {
    scanning = true;
    try {
      for (Map.Entry<byte[], byte[]> row : rows.headMap(before, false).descendingMap().entrySet()) {
        if (!startsWith(row.getKey(), prefix)
            || !visitor.row(row.getKey().clone(), row.getValue().clone())) {
          return;
        }
      }
    } finally {
      scanning = false;
    }
  }

  private void assertNotScanning() {
    if (scanning) {
      throw new IllegalStateException("a scan's visitor must not change rows");
    }
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  public int size() {
    return rows.size();
  }

  /** The rows whose key passes {@code filter}, as hexadecimal text: equal texts, equal bytes. */
  public SortedMap<String, String> dump(Predicate<byte[]> filter) {
    HexFormat hex = HexFormat.of();
    SortedMap<String, String> dump = new TreeMap<>();
    rows.forEach(
        (key, value) -> {
          if (filter.test(key)) {
            dump.put((char) key[0] + " " + hex.formatHex(key), hex.formatHex(value));
          }
        });
    return dump;
  }
}
