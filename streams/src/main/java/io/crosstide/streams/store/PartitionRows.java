package io.crosstide.streams.store;

import io.crosstide.protocol.merge.RowStore;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
import org.jspecify.annotations.Nullable;

/**
 * The rows of one partition in a Kafka Streams store with a changelog. Everything written reaches
 * the changelog in the transaction that commits the input positions (P12): Kafka Streams calls
 * {@link #flushCache} before it flushes its producer for a commit, as it does for its own caches.
 *
 * <p>Rows of tracked elements live for about 100 ms, between an effect and its echo, mostly within
 * one commit interval: they are held back until the commit, and those deleted before it are never
 * written at all.
 *
 * <p>When the process dies the held-back rows are lost together with everything else of the open
 * transaction.
 */
public final class PartitionRows implements StateStore, RowStore, CachedStateStore<byte[], byte[]> {
  // RowKeys documents the letters. Of those that are consumed in ascending order (H, G, S, F) the
  // first row still there is remembered: a scan from the prefix would walk over the tombstones of
  // all rows deleted since RocksDB's last compaction, which makes draining n rows cost n².
  private static final byte TRACKED = 'T';
  private static final String CONSUMED_IN_ORDER = "HGSF";

  /** Letter and origin. */
  private static final int CONSUMED_PREFIX_BYTES = 9;

  /** Bounds the memory of rows held back: about 30 MB. */
  private static final int HELD_BACK_MAX = 200_000;

  /** Keys' headers and elements. */
  private static final String READ_OFTEN = "KE";

  /** With the next, bounds the memory of hot rows: at most 3 MB per partition. */
  private static final int HOT_ROWS_MAX = 4096;

  private static final int HOT_ROW_BYTES_MAX = 600;

  private final KeyValueStore<Bytes, byte[]> store;

  /** Rows of tracked elements to be put (true) or deleted (false) before the commit. */
  private final Map<Bytes, Boolean> heldBack = new LinkedHashMap<>();

  /** By prefix, a key that no row of the prefix is below. */
  private final Map<Bytes, byte[]> firstRows = new HashMap<>();

  /** Rows of hot keys as last read or written; reading one costs RocksDB some 5 µs. */
  private final Map<Bytes, byte[]> hotRows =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Bytes, byte[]> eldest) {
          return size() > HOT_ROWS_MAX;
        }
      };

  private Runnable beforeCommit = () -> {};

  PartitionRows(KeyValueStore<Bytes, byte[]> store) {
    this.store = store;
  }

  /** Has {@code action} run before each commit; it may write rows. */
  public void beforeCommit(Runnable action) {
    beforeCommit = action;
  }

  // --- rows
  // -----------------------------------------------------------------------------------------------------------------------

  @Override
  public byte @Nullable [] get(byte[] key) {
    if (key[0] == TRACKED) {
      writeHeldBack();
    }
    Bytes rowKey = Bytes.wrap(key);
    byte[] hot = hotRows.get(rowKey);
    if (hot != null) {
      return hot;
    }
    byte[] row = store.get(rowKey);
    keepHot(rowKey, row);
    return row;
  }

  private void keepHot(Bytes key, byte @Nullable [] row) {
    byte[] bytes = key.get();
    if (row == null
        || READ_OFTEN.indexOf(bytes[0]) < 0
        || bytes.length + row.length > HOT_ROW_BYTES_MAX) {
      hotRows.remove(key);
    } else {
      hotRows.put(key, row);
    }
  }

  @Override
  public void put(byte[] key, byte[] value) {
    if (key[0] == TRACKED && value.length == 0) {
      holdBack(key, true);
      return;
    }
    if (isConsumedInOrder(key)) {
      firstRows.computeIfPresent(
          prefixOf(key), (prefix, first) -> Arrays.compareUnsigned(key, first) < 0 ? key : first);
    }
    Bytes rowKey = Bytes.wrap(key);
    keepHot(rowKey, value);
    store.put(rowKey, value);
  }

  @Override
  public void delete(byte[] key) {
    if (key[0] == TRACKED) {
      holdBack(key, false);
      return;
    }
    // Not store.delete, which reads the old value to return it.
    Bytes rowKey = Bytes.wrap(key);
    hotRows.remove(rowKey);
    deleteUnread(rowKey);
  }

  @SuppressWarnings("NullAway") // the store takes null for a deletion
  private void deleteUnread(Bytes key) {
    store.put(key, null);
  }

  private void holdBack(byte[] key, boolean put) {
    Bytes row = Bytes.wrap(key);
    Boolean before = heldBack.get(row);
    if (before != null && before != put) {
      // Rows are put only when absent and deleted only when present: both together are nothing.
      heldBack.remove(row);
      return;
    }
    heldBack.put(row, put);
    if (heldBack.size() > HELD_BACK_MAX) {
      writeHeldBack();
    }
  }

  private void writeHeldBack() {
    for (Map.Entry<Bytes, Boolean> row : heldBack.entrySet()) {
      if (row.getValue()) {
        store.put(row.getKey(), new byte[0]);
      } else {
        deleteUnread(row.getKey());
      }
    }
    heldBack.clear();
  }

  @Override
  public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
    if (prefix[0] == TRACKED) {
      writeHeldBack();
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
      try (KeyValueIterator<Bytes, byte[]> rows = store.range(Bytes.wrap(from), Bytes.wrap(end))) {
        boolean isFirst = true;
        while (rows.hasNext()) {
          KeyValue<Bytes, byte[]> row = rows.next();
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
    store.init(context, root);
  }

  @Override
  public void flushCache() {
    beforeCommit.run();
    writeHeldBack();
  }

  @Override
  public void clearCache() {
    heldBack.clear();
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
