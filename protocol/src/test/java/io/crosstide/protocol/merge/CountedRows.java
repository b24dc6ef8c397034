package io.crosstide.protocol.merge;

import org.jspecify.annotations.Nullable;

/** Rows that count what is done to them. */
final class CountedRows implements RowStore {
  private final MemoryRowStore rows = new MemoryRowStore();
  private long operations;
  private long writes;
  private long scans;
  private long bytes;

  /** Rows read, written, deleted and scanned over since the last {@link #reset}. */
  long operations() {
    return operations;
  }

  /** Bytes of their keys and values. */
  long bytes() {
    return bytes;
  }

  /** Rows written and deleted since the last {@link #reset}. */
  long writes() {
    return writes;
  }

  /** Scans begun since the last {@link #reset}. */
  long scans() {
    return scans;
  }

  /** Rows that there are. */
  int size() {
    return rows.size();
  }

  void reset() {
    operations = 0;
    writes = 0;
    scans = 0;
    bytes = 0;
  }

  private void count(byte[] key, byte @Nullable [] value) {
    operations++;
    bytes += key.length + (value == null ? 0 : value.length);
  }

  @Override
  public byte @Nullable [] get(byte[] key) {
    byte[] value = rows.get(key);
    count(key, value);
    return value;
  }

  @Override
  public void put(byte[] key, byte[] value) {
    count(key, value);
    writes++;
    rows.put(key, value);
  }

  @Override
  public void delete(byte[] key) {
    count(key, null);
    writes++;
    rows.delete(key);
  }

  @Override
  public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
    scans++;
    rows.scan(
        prefix,
        after,
        (key, value) -> {
          count(key, value);
          return visitor.row(key, value);
        });
  }

  @Override
  public void scanBack(byte[] prefix, byte[] before, Visitor visitor) {
    scans++;
    rows.scanBack(
        prefix,
        before,
        (key, value) -> {
          count(key, value);
          return visitor.row(key, value);
        });
  }
}
