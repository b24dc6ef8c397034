package io.crosstide.capture.shadow;

import io.crosstide.capture.shadow.RowStore.RowScan;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one Redis holds, as of a place in its replication stream: for every key its type, deadline
 * and number of elements, for every element its value (or SHA-1, if long) or score.
 *
 * <p>An operation on one element reads and writes that element's rows and the key's header, however
 * large the key. Deleting, renaming and flushing cost the same whatever their size.
 *
 * <p><b>Units.</b> Writes belong to the open unit until {@link #seal} ends it with the checkpoint
 * that it leads to. {@link #commitThrough} makes units durable, each wholly, together with that
 * checkpoint. The caller commits a unit when Kafka holds its events: a process that dies loses the
 * later units, and the shadow is again what it was at {@link #committed()}, never ahead of what the
 * log holds. Reads always see the newest writes.
 *
 * <p>Not thread-safe; used by the thread that reads the stream.
 */
public abstract sealed class Shadow implements AutoCloseable permits InMemoryShadow, RocksShadow {
  /** Version of the rows' layout; another one on disk is refused. */
  private static final byte FORMAT = 1;

  private static final String FORMAT_ROW = "format";
  private static final String CHECKPOINT_ROW = "checkpoint";
  private static final String SPACES_ROW = "spaces";
  private static final String RESERVED_ROW = "reserved";

  /** Generations are reserved in blocks, so that a new key does not write the counter's row. */
  private static final int GENERATION_BLOCK = 1024;

  /** Collections up to this size are deleted row by row: range deletions slow down later reads. */
  static final int ROW_BY_ROW_MAX = 512;

  private final RowStore store;
  private final Overlay overlay;
  private final ShadowOptions options;
  private final ScoreBounds scoreBounds = new ScoreBounds();
  private final ListEnds listEnds = new ListEnds();
  private final Map<Integer, Integer> spaces = new TreeMap<>();
  private int lastSpace;
  private long lastGeneration;
  private long reservedGeneration;
  private long mismatches;
  private @Nullable Checkpoint committed;
  private @Nullable ShadowKey current;

  Shadow(RowStore store, ShadowOptions options) {
    this.store = store;
    this.options = options;
    this.overlay = new Overlay(store, options);
    load();
  }

  private void load() {
    byte[] format = store.get(Rows.meta(FORMAT_ROW));
    if (format == null) {
      overlay.put(Rows.meta(FORMAT_ROW), new byte[] {FORMAT});
    } else if (format[0] != FORMAT) {
      throw new IllegalStateException(
          "the shadow has format "
              + format[0]
              + ", this version of Crosstide writes "
              + FORMAT
              + ": delete the shadow's directory to have it rebuilt by a full resync");
    }
    byte[] reserved = store.get(Rows.meta(RESERVED_ROW));
    if (reserved != null) {
      lastGeneration = Rows.getLong(reserved, 0);
      reservedGeneration = lastGeneration;
      lastSpace = Rows.getInt(reserved, 8);
    }
    byte[] pairs = store.get(Rows.meta(SPACES_ROW));
    if (pairs != null) {
      for (int at = 0; at < pairs.length; at += 8) {
        spaces.put(Rows.getInt(pairs, at), Rows.getInt(pairs, at + 4));
      }
    }
    byte[] checkpoint = store.get(Rows.meta(CHECKPOINT_ROW));
    if (checkpoint != null) {
      committed = decode(checkpoint);
    }
  }

  // ---- keys ----

  /**
   * A handle on one key, present or not. There is one live handle at a time: opening another writes
   * this one's changes back and detaches it.
   */
  public final ShadowKey key(int db, Bytes name) {
    ShadowKey open = current;
    if (open != null && open.db() == db && open.name().equals(name)) {
      return open;
    }
    release();
    Integer space = spaces.get(db);
    byte[] value = space == null ? null : overlay.get(Rows.key(space, name));
    ShadowKey opened =
        new ShadowKey(this, db, name, value == null ? null : KeyHeader.decode(value));
    current = opened;
    return opened;
  }

  /** The live handle if it is on {@code key}: looks at what a write has just done to it. */
  public final @Nullable ShadowKey open(RedisKey key) {
    ShadowKey open = current;
    return open != null && open.db() == key.db() && open.name().equals(key.name()) ? open : null;
  }

  /** From here on a key is new if a later write makes it. */
  public final void noLongerNew() {
    ShadowKey open = current;
    if (open != null) {
      open.noLongerNew();
    }
  }

  /** All keys of all databases, in the order of (db, {@link ShadowNames#compare}). */
  public final ShadowCursor keys() {
    writeBackCurrent();
    return new ShadowCursor(this, spaces.keySet().stream().toList());
  }

  /** All keys of one database, in the order of {@link ShadowNames#compare}. */
  public final ShadowCursor keys(int db) {
    writeBackCurrent();
    return new ShadowCursor(this, spaces.containsKey(db) ? List.of(db) : List.of());
  }

  /**
   * The first unresolved key after {@code place}, in the order of {@link #keys()}; null if there is
   * none.
   *
   * @param place where to look on, null for the beginning; need not be a key that exists
   */
  public final @Nullable RedisKey unresolvedAfter(@Nullable RedisKey place) {
    writeBackCurrent();
    for (Map.Entry<Integer, Integer> entry : spaces.entrySet()) {
      int db = entry.getKey();
      if (place != null && db < place.db()) {
        continue;
      }
      byte[] all = Rows.unresolvedOf(entry.getValue());
      byte[] from =
          place != null && db == place.db()
              ? Rows.after(Rows.unresolved(entry.getValue(), place.name()))
              : all;
      try (RowScan scan = overlay.scan(from, Rows.afterPrefix(all), false)) {
        if (scan.next()) {
          return new RedisKey(db, Bytes.wrap(scan.value()));
        }
      }
    }
    return null;
  }

  /** The databases that hold or held keys, ascending. */
  public final List<Integer> databases() {
    return List.copyOf(spaces.keySet());
  }

  /** Removes all keys of a database, at a cost that does not depend on their number. */
  public final void clear(int db) {
    release();
    Integer space = spaces.remove(db);
    if (space != null) {
      overlay.dropPrefix(Rows.keysOf(space));
      overlay.dropPrefix(Rows.elementsOf(space));
      overlay.dropPrefix(Rows.byScoreOf(space));
      overlay.dropPrefix(Rows.unresolvedOf(space));
      writeSpaces();
    }
  }

  /** Exchanges the contents of two databases, at a cost that does not depend on their size. */
  public final void swap(int one, int other) {
    release();
    Integer first = spaces.remove(one);
    Integer second = spaces.remove(other);
    if (first != null) {
      spaces.put(other, first);
    }
    if (second != null) {
      spaces.put(one, second);
    }
    writeSpaces();
  }

  /**
   * Gives a key another name in the same database, replacing what stood there. Only the header
   * moves.
   */
  public final void rename(int db, Bytes from, Bytes to) {
    if (from.equals(to)) {
      return;
    }
    key(db, to).delete();
    ShadowKey source = key(db, from);
    source.writeBack();
    KeyHeader header = source.header();
    release();
    if (header != null) {
      overlay.delete(Rows.key(requireSpace(db), from));
      overlay.put(Rows.key(requireSpace(db), to), header.encode(to));
      if (header.type() == ShadowType.UNRESOLVED) {
        index(db, from, false);
        index(db, to, true);
      }
    }
  }

  /** Makes {@code to} equal to {@code from}, element by element, replacing what stood there. */
  public final void copy(int db, Bytes from, int toDb, Bytes to) {
    key(toDb, to).delete();
    ShadowKey source = key(db, from);
    KeyHeader header = source.header();
    release();
    if (header == null) {
      return;
    }
    int space = requireSpace(toDb);
    long generation = 0;
    if (header.generation() != 0) {
      generation = nextGeneration();
      copyRows(Rows.elementsOf(requireSpace(db), header.generation()), space, generation);
      copyRows(Rows.byScoreOf(requireSpace(db), header.generation()), space, generation);
    }
    KeyHeader copy =
        new KeyHeader(
            header.type(),
            header.exact(),
            header.deadlineMillis(),
            generation,
            header.count(),
            header.content());
    overlay.put(Rows.key(space, to), copy.encode(to));
    if (header.type() == ShadowType.UNRESOLVED) {
      index(toDb, to, true);
    }
  }

  private void copyRows(byte[] prefix, int space, long generation) {
    try (RowScan scan = scanPrefix(prefix, false)) {
      while (scan.next()) {
        byte[] row = scan.row().clone();
        Rows.putInt(row, 1, space);
        Rows.putLong(row, 5, generation);
        overlay.put(row, scan.value());
      }
    }
  }

  /**
   * How often the stream showed a key of another type than the shadow knew, though nothing
   * underivable had touched it. The shadow followed the stream; anything but 0 is a defect.
   */
  public final long mismatches() {
    return mismatches;
  }

  // ---- rows of the interpreter and the runtime, in the same units ----

  /** A small value that moves with the shadow, or null. */
  public final byte @Nullable [] meta(String name) {
    return overlay.get(Rows.meta("x." + name));
  }

  public final void meta(String name, byte[] value) {
    overlay.put(Rows.meta("x." + name), value);
  }

  public final void dropMeta(String name) {
    overlay.delete(Rows.meta("x." + name));
  }

  // ---- units ----

  /** Ends the open unit and returns its number, which rises strictly while the shadow is open. */
  public final long seal(Checkpoint checkpoint) {
    ShadowKey open = current;
    if (open != null) {
      open.writeBack();
    }
    return overlay.seal(checkpoint);
  }

  /**
   * Makes all units through {@code unit} durable in one atomic write, with the last one's
   * checkpoint.
   */
  public final void commitThrough(long unit) {
    Checkpoint last = overlay.checkpointAt(unit);
    if (last == null) {
      return;
    }
    byte[] row = encode(last);
    overlay.commitThrough(unit, batch -> batch.put(Rows.meta(CHECKPOINT_ROW), row));
    committed = last;
  }

  /** What the last commit wrote, of this or an earlier process; null before the first. */
  public final @Nullable Checkpoint committed() {
    return committed;
  }

  /** Rows held in memory until their units are committed. */
  public final int waitingRows() {
    return overlay.waitingRows();
  }

  @Override
  public void close() {
    store.close();
  }

  // ---- for handles and cursors ----

  final Overlay overlay() {
    return overlay;
  }

  final ScoreBounds scoreBounds() {
    return scoreBounds;
  }

  final ListEnds listEnds() {
    return listEnds;
  }

  final ShadowOptions options() {
    return options;
  }

  final RowScan scanPrefix(byte[] prefix, boolean descending) {
    return overlay.scan(prefix, Rows.afterPrefix(prefix), descending);
  }

  final @Nullable Integer space(int db) {
    return spaces.get(db);
  }

  /** The database's space, created if it has none. */
  final int requireSpace(int db) {
    Integer space = spaces.get(db);
    if (space == null) {
      space = ++lastSpace;
      spaces.put(db, space);
      writeReserved();
      writeSpaces();
    }
    return space;
  }

  final long nextGeneration() {
    if (lastGeneration == reservedGeneration) {
      reservedGeneration += GENERATION_BLOCK;
      writeReserved();
    }
    return ++lastGeneration;
  }

  /** Notes whether a key is unresolved. */
  final void index(int db, Bytes name, boolean unresolved) {
    Integer space = spaces.get(db);
    if (unresolved) {
      overlay.put(Rows.unresolved(requireSpace(db), name), name.array());
    } else if (space != null) {
      overlay.delete(Rows.unresolved(space, name));
    }
  }

  final void countMismatch() {
    mismatches++;
  }

  /** Opens the key of a row that a cursor found. */
  final ShadowKey opened(int db, Bytes name, KeyHeader header) {
    ShadowKey open = current;
    if (open != null && open.db() == db && open.name().equals(name)) {
      return open;
    }
    release();
    ShadowKey key = new ShadowKey(this, db, name, header);
    current = key;
    return key;
  }

  final void writeBackCurrent() {
    ShadowKey open = current;
    if (open != null) {
      open.writeBack();
    }
  }

  private void release() {
    ShadowKey open = current;
    if (open != null) {
      open.writeBack();
      open.detach();
      current = null;
    }
  }

  private void writeReserved() {
    byte[] value = new byte[12];
    Rows.putLong(value, 0, reservedGeneration);
    Rows.putInt(value, 8, lastSpace);
    overlay.put(Rows.meta(RESERVED_ROW), value);
  }

  private void writeSpaces() {
    byte[] pairs = new byte[8 * spaces.size()];
    int at = 0;
    for (Map.Entry<Integer, Integer> entry : spaces.entrySet()) {
      Rows.putInt(pairs, at, entry.getKey());
      Rows.putInt(pairs, at + 4, entry.getValue());
      at += 8;
    }
    overlay.put(Rows.meta(SPACES_ROW), pairs);
  }

  private static byte[] encode(Checkpoint checkpoint) {
    byte[] replId = checkpoint.replId().getBytes(StandardCharsets.US_ASCII);
    byte[] out = new byte[28 + replId.length];
    Rows.putLong(out, 0, checkpoint.replOffset());
    Rows.putInt(out, 8, checkpoint.db());
    Rows.putLong(out, 12, checkpoint.streamMillis());
    Rows.putLong(out, 20, checkpoint.hlc().packed());
    System.arraycopy(replId, 0, out, 28, replId.length);
    return out;
  }

  private static Checkpoint decode(byte[] value) {
    return new Checkpoint(
        new String(Arrays.copyOfRange(value, 28, value.length), StandardCharsets.US_ASCII),
        Rows.getLong(value, 0),
        Rows.getInt(value, 8),
        Rows.getLong(value, 12),
        new HybridTimestamp(Rows.getLong(value, 20)));
  }
}
