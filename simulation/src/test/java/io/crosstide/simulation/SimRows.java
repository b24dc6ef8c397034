package io.crosstide.simulation;

import io.crosstide.protocol.merge.RowStore;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rows with a committed copy: a crash loses what came after the last commit, as under exactly-once
 * processing (P12).
 */
final class SimRows implements RowStore {
  private TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
  private TreeMap<byte[], byte[]> committed = new TreeMap<>(Arrays::compareUnsigned);

  void commit() {
    committed = new TreeMap<>(rows);
  }

  void rollBack() {
    rows = new TreeMap<>(committed);
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    return rows.get(key);
  }

  @Override
  public void put(byte[] key, byte[] value) {
    rows.put(key, value);
  }

  @Override
  public void delete(byte[] key) {
    rows.remove(key);
  }

  @Override
  public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
    byte[] from = after == null ? prefix : after;
    for (Map.Entry<byte[], byte[]> row : rows.tailMap(from, after == null).entrySet()) {
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
  public void scanBack(byte[] prefix, byte[] before, Visitor visitor) {
    for (Map.Entry<byte[], byte[]> row : rows.headMap(before, false).descendingMap().entrySet()) {
      byte[] key = row.getKey();
      boolean inside =
          key.length >= prefix.length
              && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
      if (!inside || !visitor.row(key, row.getValue())) {
        return;
      }
    }
  }

  int size() {
    return rows.size();
  }

  /**
   * Rows other than positions, by the letter they begin with: what is left when everything is
   * settled.
   */
  int count(char letter) {
    int count = 0;
    for (byte[] key : rows.keySet()) {
      if (key[0] == letter) {
        count++;
      }
    }
    return count;
  }
}
