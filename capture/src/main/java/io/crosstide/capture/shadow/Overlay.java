package io.crosstide.capture.shadow;

import io.crosstide.crdt.Bytes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rows not yet allowed onto disk, over those that are. Reads see the newest version; writes collect
 * in units, and {@link #commitThrough} moves whole units to the store in one atomic write.
 *
 * <p>Invariant: a row is in {@link #waiting} exactly while some uncommitted unit holds a version of
 * it, and then with its newest version. What {@link #cache} says of any other row is what the store
 * holds. Not thread-safe.
 */
final class Overlay {
  /** A disposable shadow's rows go to disk when this many have collected. */
  private static final int DISPOSABLE_ROWS_MAX = 8192;

  /** Or when they have so many bytes. */
  private static final long DISPOSABLE_BYTES_MAX = 4 << 20;

  private final RowStore store;
  private final boolean disposable;
  private final RowCache cache;
  private final Map<Bytes, Version> waiting = new HashMap<>();

  /**
   * The waiting rows in order. Scans need it, most commands do not: it is made by the first scan,
   * and given up by a commit that no scan has preceded since the last.
   */
  private @Nullable TreeMap<byte[], Version> sorted;

  private boolean scanned;
  private int scansOpen;
  private final ArrayDeque<Unit> sealed = new ArrayDeque<>();
  private Unit open = new Unit(1);
  private long commits;

  /** One version of a row; {@code value} is null where the row was deleted. */
  private static final class Version {
    final byte[] row;
    final byte @Nullable [] value;
    final Unit unit;

    /** The next version of the row; null while this is the newest. */
    @Nullable Version newer;

    Version(byte[] row, byte @Nullable [] value, Unit unit) {
      this.row = row;
      this.value = value;
      this.unit = unit;
    }

    /** Whether the units through {@code unit} hold nothing newer. */
    boolean isLastThrough(long unit) {
      Version next = newer;
      return next == null || next.unit.number > unit;
    }
  }

  private static final class Unit {
    final long number;
    final List<Version> versions = new ArrayList<>(4);

    /** Of the versions. */
    long bytes;

    @Nullable List<byte[]> droppedPrefixes;
    Checkpoint checkpoint = Checkpoint.NONE;

    Unit(long number) {
      this.number = number;
    }
  }

  Overlay(RowStore store, ShadowOptions options) {
    this.store = store;
    this.disposable = options.disposable();
    this.cache = new RowCache(options.rowCacheBytes());
  }

  byte @Nullable [] get(byte[] row) {
    Version version = waiting.isEmpty() ? null : waiting.get(Bytes.wrap(row));
    if (version != null) {
      return version.value;
    }
    int slot = cache.find(row);
    if (slot >= 0) {
      return cache.value(slot);
    }
    byte[] value = store.get(row);
    cache.put(row, value);
    return value;
  }

  void put(byte[] row, byte[] value) {
    set(row, value);
  }

  void delete(byte[] row) {
    set(row, null);
  }

  private void set(byte[] row, byte @Nullable [] value) {
    if (disposable
        && (open.versions.size() >= DISPOSABLE_ROWS_MAX || open.bytes >= DISPOSABLE_BYTES_MAX)) {
      seal(open.checkpoint);
    }
    Version version = new Version(row, value, open);
    open.versions.add(version);
    open.bytes += row.length + (value == null ? 0 : value.length);
    Version before = waiting.put(Bytes.wrap(row), version);
    if (before != null) {
      before.newer = version;
    }
    TreeMap<byte[], Version> index = sorted;
    if (index != null) {
      index.put(row, version);
    }
  }

  /**
   * Deletes every row that begins so when the open unit is committed. Until then they stay
   * readable, so the caller must not look there again, nor ever write there again.
   */
  void dropPrefix(byte[] prefix) {
    List<byte[]> dropped = open.droppedPrefixes;
    if (dropped == null) {
      dropped = new ArrayList<>(2);
      open.droppedPrefixes = dropped;
    }
    dropped.add(prefix);
  }

  long seal(Checkpoint checkpoint) {
    open.checkpoint = checkpoint;
    sealed.add(open);
    long number = open.number;
    open = new Unit(number + 1);
    if (disposable) {
      commitThrough(number, batch -> {});
    }
    return number;
  }

  /** Number of rows that wait for a commit. */
  int waitingRows() {
    return waiting.size();
  }

  /** Adds rows of the shadow's own to a commit. */
  interface Finish {
    void accept(RowStore.RowBatch batch);
  }

  /** The checkpoint of the last unit through {@code unit}, or null if none waits. */
  @Nullable Checkpoint checkpointAt(long unit) {
    Checkpoint last = null;
    for (Unit candidate : sealed) {
      if (candidate.number > unit) {
        break;
      }
      last = candidate.checkpoint;
    }
    return last;
  }

  /**
   * Writes all sealed units through {@code unit} and what {@code finish} adds. Drops come last: a
   * dropped prefix is never written again, so nothing put after the drop can be lost by that.
   */
  void commitThrough(long unit, Finish finish) {
    if (unit >= open.number) {
      throw new IllegalArgumentException(
          "unit " + unit + " is not sealed yet; the last sealed one is " + (open.number - 1));
    }
    store.write(
        batch -> {
          for (Unit candidate : sealed) {
            if (candidate.number > unit) {
              break;
            }
            writeRows(candidate, unit, batch);
          }
          for (Unit candidate : sealed) {
            if (candidate.number > unit) {
              break;
            }
            writeDrops(candidate, batch);
          }
          finish.accept(batch);
        });
    while (!sealed.isEmpty() && sealed.getFirst().number <= unit) {
      for (Version version : sealed.removeFirst().versions) {
        if (version.newer == null) {
          settle(version);
        }
      }
    }
    commits++;
    if (!scanned && scansOpen == 0) {
      sorted = null;
    }
    scanned = false;
  }

  /** The newest version of a row is in the store now. */
  private void settle(Version version) {
    waiting.remove(Bytes.wrap(version.row));
    cache.put(version.row, version.value);
    TreeMap<byte[], Version> index = sorted;
    if (index != null) {
      index.remove(version.row);
    }
  }

  private static void writeRows(Unit unit, long through, RowStore.RowBatch batch) {
    for (Version version : unit.versions) {
      if (!version.isLastThrough(through)) {
        continue;
      }
      byte[] value = version.value;
      if (value == null) {
        batch.delete(version.row);
      } else {
        batch.put(version.row, value);
      }
    }
  }

  private static void writeDrops(Unit unit, RowStore.RowBatch batch) {
    List<byte[]> dropped = unit.droppedPrefixes;
    if (dropped != null) {
      for (byte[] prefix : dropped) {
        batch.deleteRange(prefix, Rows.afterPrefix(prefix));
      }
    }
  }

  RowStore.RowScan scan(byte[] from, byte[] to, boolean descending) {
    scanned = true;
    TreeMap<byte[], Version> index = sorted;
    if (index == null) {
      index = new TreeMap<>(Arrays::compareUnsigned);
      for (Version version : waiting.values()) {
        index.put(version.row, version);
      }
      sorted = index;
    }
    return new MergedScan(index, from, to, descending);
  }

  /**
   * Walks the overlay and the store together. Seeks the overlay anew for each step and reopens the
   * store's scan after a commit, so that writes and commits during the walk are seen.
   */
  private final class MergedScan implements RowStore.RowScan {
    private final NavigableMap<byte[], Version> range;
    private final byte[] from;
    private final byte[] to;
    private final boolean descending;
    private RowStore.RowScan below;
    private boolean belowHasRow;
    private long commitsSeen;
    private byte @Nullable [] row;
    private byte @Nullable [] value;
    private boolean ended;
    private boolean closed;

    MergedScan(NavigableMap<byte[], Version> rows, byte[] from, byte[] to, boolean descending) {
      this.from = from;
      this.to = to;
      this.descending = descending;
      NavigableMap<byte[], Version> ascending = rows.subMap(from, true, to, false);
      range = descending ? ascending.descendingMap() : ascending;
      below = store.scan(from, to, descending);
      belowHasRow = below.next();
      commitsSeen = commits;
      scansOpen++;
    }

    @Override
    public boolean next() {
      while (!ended) {
        reopenAfterCommit();
        Map.Entry<byte[], Version> above =
            row == null ? range.firstEntry() : range.higherEntry(row);
        if (above == null && !belowHasRow) {
          ended = true;
          break;
        }
        int order = above == null ? 1 : belowHasRow ? compare(above.getKey(), below.row()) : -1;
        byte[] found;
        if (order <= 0 && above != null) {
          row = above.getKey();
          found = above.getValue().value;
        } else {
          row = below.row();
          found = below.value();
        }
        if (order >= 0) {
          belowHasRow = below.next();
        }
        if (found != null) {
          value = found;
          return true;
        }
      }
      row = null;
      value = null;
      return false;
    }

    private int compare(byte[] a, byte[] b) {
      int order = Arrays.compareUnsigned(a, b);
      return descending ? -order : order;
    }

    private void reopenAfterCommit() {
      if (commitsSeen == commits) {
        return;
      }
      commitsSeen = commits;
      below.close();
      byte[] last = row;
      if (last == null) {
        below = store.scan(from, to, descending);
      } else if (descending) {
        below = store.scan(from, last, true);
      } else {
        below = store.scan(Rows.after(last), to, false);
      }
      belowHasRow = below.next();
    }

    @Override
    public byte[] row() {
      return present(row);
    }

    @Override
    public byte[] value() {
      return present(value);
    }

    private static byte[] present(byte @Nullable [] bytes) {
      if (bytes == null) {
        throw new IllegalStateException("the scan is not at a row: call next() first");
      }
      return bytes;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        scansOpen--;
        below.close();
      }
    }
  }
}
