package io.crosstide.streams.store;

import io.crosstide.protocol.merge.RowStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;
import org.apache.kafka.streams.state.internals.MeteredKeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one partition in a Kafka Streams store with a changelog. Everything written reaches
 * the changelog in the transaction that commits the input positions (P12): Kafka Streams calls
 * {@link #flushCache} before it flushes its producer for a commit, as it does for its own caches.
 *
 * <p>Rows of keys and elements last read or written are kept in memory, within a budget that all
 * stores of the process share: reading one from RocksDB costs some 5 µs. Rows are written to it in
 * batches, the last before a commit.
 *
 * <p>When the process dies, what was written since the last commit is lost together with everything
 * else of the open transaction.
 */
public final class PartitionRows implements StateStore, RowStore, CachedStateStore<byte[], byte[]> {
  // RowKeys documents the letters. Of those that are consumed in ascending order (H, G, S, F) the
  // first row still there is remembered: a scan from the prefix would walk over the tombstones of
  // all rows deleted since RocksDB's last compaction, which makes draining n rows cost n².
  private static final String CONSUMED_IN_ORDER = "HGSF";

  /** Letter and origin. */
  private static final int CONSUMED_PREFIX_BYTES = 9;

  /**
   * Rows written at a time: one call for many costs RocksDB half, and a row written again meanwhile
   * is written once. Not more, or commits would take long.
   */
  private static final int UNWRITTEN_MAX = 256;

  private static final long UNWRITTEN_BYTES_MAX = 1 << 20;

  /** Of the whole store: its lifecycle, and what Kafka Streams wants to know of it. */
  private final KeyValueStore<Bytes, byte[]> store;

  /** The same, without the outermost layer, which measures each call. */
  private final KeyValueStore<Bytes, byte[]> rows;

  /** By prefix, a key that no row of the prefix is below. */
  private final Map<Bytes, byte[]> firstRows = new HashMap<>();

  private final HotRows hotRows;

  /** Rows to be written; null: to be deleted. */
  private final Map<Bytes, byte @Nullable []> unwritten = new LinkedHashMap<>();

  /** Of the unwritten rows, a bit per letter. */
  private int unwrittenLetters;

  private long unwrittenBytes;

  private Runnable beforeCommit = () -> {};

  PartitionRows(KeyValueStore<Bytes, byte[]> store, HotRows hotRows) {
    this.store = store;
    this.rows = withoutMeter(store);
    this.hotRows = hotRows;
  }

  private static KeyValueStore<Bytes, byte[]> withoutMeter(KeyValueStore<Bytes, byte[]> store) {
    return store instanceof MeteredKeyValueStore<?, ?> metered ? metered.wrapped() : store;
  }

  /** Has {@code action} run before each commit; it may write rows. */
  public void beforeCommit(Runnable action) {
    beforeCommit = action;
  }

  // --- rows
  // -----------------------------------------------------------------------------------------------------------------------

  @Override
  public byte @Nullable [] get(byte[] key) {
    Bytes rowKey = Bytes.wrap(key);
    byte[] hot = hotRows.get(rowKey);
    if (hot != null) {
      return hot == HotRows.ABSENT ? null : hot;
    }
    byte[] row = unwritten.containsKey(rowKey) ? unwritten.get(rowKey) : rows.get(rowKey);
    hotRows.put(rowKey, row);
    return row;
  }

  @Override
  public void put(byte[] key, byte[] value) {
    if (isConsumedInOrder(key)) {
      firstRows.computeIfPresent(
          prefixOf(key), (prefix, first) -> Arrays.compareUnsigned(key, first) < 0 ? key : first);
    }
    Bytes rowKey = Bytes.wrap(key);
    hotRows.put(rowKey, value);
    write(rowKey, value);
  }

  @Override
  public void delete(byte[] key) {
    Bytes rowKey = Bytes.wrap(key);
    hotRows.put(rowKey, null);
    write(rowKey, null);
  }

  private void write(Bytes key, byte @Nullable [] value) {
    unwritten.put(key, value);
    unwrittenLetters |= letter(key.get());
    unwrittenBytes += value == null ? 0 : value.length;
    if (unwritten.size() >= UNWRITTEN_MAX || unwrittenBytes >= UNWRITTEN_BYTES_MAX) {
      writeAll();
    }
  }

  private static int letter(byte[] key) {
    return 1 << (key[0] & 31);
  }

  @SuppressWarnings("NullAway") // the store takes null for a deletion
  private void writeAll() {
    if (unwritten.isEmpty()) {
      return;
    }
    List<KeyValue<Bytes, byte[]>> all = new ArrayList<>(unwritten.size());
    unwritten.forEach((key, value) -> all.add(KeyValue.pair(key, value)));
    forgetUnwritten();
    rows.putAll(all);
  }

  private void forgetUnwritten() {
    unwritten.clear();
    unwrittenLetters = 0;
    unwrittenBytes = 0;
  }

  @Override
  public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
    if ((unwrittenLetters & letter(prefix)) != 0) {
      writeAll();
    }
    boolean remembers =
        after == null && prefix.length == CONSUMED_PREFIX_BYTES && isConsumedInOrder(prefix);
    Bytes remembered = Bytes.wrap(prefix);
    byte[] from = after == null ? prefix : Arrays.copyOf(after, after.length + 1);
    if (remembers) {
      from = firstRows.getOrDefault(remembered, from);
    }
    byte[] end = end(prefix);
    byte[] first = end;
    if (Arrays.compareUnsigned(from, end) < 0) {
      try (KeyValueIterator<Bytes, byte[]> found = rows.range(Bytes.wrap(from), Bytes.wrap(end))) {
        boolean isFirst = true;
        while (found.hasNext()) {
          KeyValue<Bytes, byte[]> row = found.next();
          byte[] key = row.key.get();
          if (!startsWith(key, prefix)) {
            break; // the range includes its end
          }
          if (isFirst) {
            first = key;
            isFirst = false;
          }
          if (!visitor.row(key, row.value)) {
            break;
          }
        }
      }
    }
    if (remembers) {
      firstRows.put(remembered, first);
    }
  }

  @Override
  public void scanBack(byte[] prefix, byte[] before, Visitor visitor) {
    if ((unwrittenLetters & letter(prefix)) != 0) {
      writeAll();
    }
    if (Arrays.compareUnsigned(prefix, before) >= 0) {
      return;
    }
    try (KeyValueIterator<Bytes, byte[]> found =
        rows.reverseRange(Bytes.wrap(prefix), Bytes.wrap(before))) {
      while (found.hasNext()) {
        KeyValue<Bytes, byte[]> row = found.next();
        byte[] key = row.key.get();
        boolean isEnd = Arrays.equals(key, before); // the range includes it
        if (!isEnd && (!startsWith(key, prefix) || !visitor.row(key, row.value))) {
          return;
        }
      }
    }
  }

  private static boolean isConsumedInOrder(byte[] key) {
    return key.length >= CONSUMED_PREFIX_BYTES && CONSUMED_IN_ORDER.indexOf(key[0]) >= 0;
  }

  private static Bytes prefixOf(byte[] key) {
    return Bytes.wrap(Arrays.copyOf(key, CONSUMED_PREFIX_BYTES));
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  /** The first key after all that begin with {@code prefix}, whose first byte is a letter. */
  private static byte[] end(byte[] prefix) {
    int last = prefix.length - 1;
    while (prefix[last] == (byte) 0xff) {
      last--;
    }
    byte[] end = Arrays.copyOf(prefix, last + 1);
    end[last]++;
    return end;
  }

  // --- as a state store
  // -----------------------------------------------------------------------------------------------------------

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {
    clearCache();
    beforeCommit = () -> {};
    hotRows.open(context.appConfigs());
    store.init(context, root);
  }

  @Override
  public void flushCache() {
    beforeCommit.run();
    writeAll();
  }

  @Override
  public void clearCache() {
    forgetUnwritten();
    firstRows.clear();
    hotRows.clear();
  }

  @Override
  public boolean setFlushListener(
      @Nullable CacheFlushListener<byte[], byte[]> listener, boolean sendOldValues) {
    return false; // nothing is forwarded from here
  }

  @Override
  @Deprecated
  public void flush() {
    store.flush();
  }

  @Override
  public void commit(Map<TopicPartition, Long> changelogOffsets) {
    store.commit(changelogOffsets);
  }

  @Override
  public @Nullable Long committedOffset(TopicPartition partition) {
    return store.committedOffset(partition);
  }

  @Override
  @Deprecated
  public boolean managesOffsets() {
    return store.managesOffsets();
  }

  @Override
  public void close() {
    clearCache();
    hotRows.close();
    store.close();
  }

  @Override
  public boolean persistent() {
    return store.persistent();
  }

  @Override
  public boolean isOpen() {
    return store.isOpen();
  }

  @Override
  public <R> QueryResult<R> query(Query<R> query, PositionBound bound, QueryConfig config) {
    return store.query(query, bound, config);
  }

  @Override
  public Position getPosition() {
    return store.getPosition();
  }
}
