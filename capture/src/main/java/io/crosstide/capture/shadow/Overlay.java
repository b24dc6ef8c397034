package io.crosstide.capture.shadow;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rows not yet allowed onto disk, over those that are. Reads see the newest version; writes collect
 * in units, and {@link #commitThrough} moves whole units to the store in one atomic write.
 *
 * <p>Invariant: a row is in {@link #rows} exactly while some uncommitted unit holds a version of
 * it, and then with its newest version. Not thread-safe.
 */
final class Overlay {
  /** A disposable shadow's rows go to disk when this many have collected. */
  private static final int DISPOSABLE_ROWS_MAX = 8192;

  private final RowStore store;
  private final boolean disposable;
  private final TreeMap<byte[], Version> rows = new TreeMap<>(Arrays::compareUnsigned);
  private final ArrayDeque<Unit> sealed = new ArrayDeque<>();
  private Unit open = new Unit(1);
  private long commits;

  /** The newest version of a row; {@code value} is null where the row was deleted. */
  private static final class Version {
    final byte @Nullable [] value;
    final Unit unit;

    Version(byte @Nullable [] value, Unit unit) {
      this.value = value;
      this.unit = unit;
    }
  }

  private static final class Unit {
    final long number;
    final List<byte[]> rows = new ArrayList<>(4);
    final List<byte @Nullable []> values = new ArrayList<>(4);
    @Nullable List<byte[]> droppedPrefixes;
    Checkpoint checkpoint = Checkpoint.NONE;

    Unit(long number) {
      this.number = number;
    }
  }

  Overlay(RowStore store, boolean disposable) {
    this.store = store;
    this.disposable = disposable;
  }

  byte @Nullable [] get(byte[] row) {
    if (!rows.isEmpty()) {
      Version version = rows.get(row);
      if (version != null) {
        return version.value;
      }
    }
    return store.get(row);
  }

  void put(byte[] row, byte[] value) {
    set(row, value);
  }

  void delete(byte[] row) {
    set(row, null);
  }

  private void set(byte[] row, byte @Nullable [] value) {
    if (disposable && open.rows.size() >= DISPOSABLE_ROWS_MAX) {
      seal(open.checkpoint);
    }
    open.rows.add(row);
    open.values.add(value);
    rows.put(row, new Version(value, open));
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
    return rows.size();
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
      Unit done = sealed.removeFirst();
      for (byte[] row : done.rows) {
        Version version = rows.get(row);
        if (version != null && version.unit == done) {
          rows.remove(row);
        }
      }
    }
    commits++;
  }

  private void writeRows(Unit unit, long through, RowStore.RowBatch batch) {
    for (int i = 0; i < unit.rows.size(); i++) {
      byte[] row = unit.rows.get(i);
      Version newest = rows.get(row);
      boolean laterInThisCommit =
          newest != null && newest.unit != unit && newest.unit.number <= through;
      if (laterInThisCommit) {
        continue;
      }
      byte[] value = unit.values.get(i);
      if (value == null) {
        batch.delete(row);
      } else {
        batch.put(row, value);
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
    return new MergedScan(from, to, descending);
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

    MergedScan(byte[] from, byte[] to, boolean descending) {
      this.from = from;
      this.to = to;
      this.descending = descending;
      NavigableMap<byte[], Version> ascending = rows.subMap(from, true, to, false);
      range = descending ? ascending.descendingMap() : ascending;
      below = store.scan(from, to, descending);
      belowHasRow = below.next();
      commitsSeen = commits;
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
      below.close();
    }
  }
}
