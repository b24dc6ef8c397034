package io.crosstide.streams.store;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one store that were last read or written, as they are in RocksDB, and which of those
 * asked for are not there: RocksDB's Java binding answers that with an exception. All open stores
 * of the process have equal shares of one budget. For the stream thread that has the store.
 *
 * <p>Rows lie in segments of bytes, found by a table of numbers, so that hundreds of thousands of
 * them are a few hundred objects to the garbage collector: as objects of their own, each row
 * written made the next collection look through its neighbours too.
 *
 * <p>Segments are filled one after the other and given up in the same order. What was used
 * meanwhile stays when its segment is filled anew.
 *
 * <pre>
 * row: hash(4) units of 16 bytes(2) key length(2) value length(2, -1 if absent) state(1) key value
 * </pre>
 */
final class HotRows {
  /** Key in the Streams configuration: bytes of all stores in the process. */
  static final String BYTES = "crosstide.rows.cache.bytes";

  /** What {@link #get} answers for a row that RocksDB does not have. Compared by identity. */
  static final byte[] ABSENT = new byte[0];

  /** Room for a few of the longest rows: two of them are the least that a store takes. */
  static final int SEGMENT_BYTES = 1 << 14;

  private static final long BYTES_DEFAULT = 96L << 20;

  /** Keys' headers and elements; RowKeys documents the letters. */
  private static final String LETTERS = "KE";

  /** Key and value; longer ones are read from RocksDB each time. */
  private static final int ROW_BYTES_MAX = 4 << 10;

  /** One to fill and one to give up. */
  private static final int SEGMENTS_MIN = 2;

  private static final int UNIT_BYTES = 16;
  private static final int UNITS_PER_SEGMENT = SEGMENT_BYTES / UNIT_BYTES;

  private static final int UNITS_AT = 4;
  private static final int KEY_LENGTH_AT = 6;
  private static final int VALUE_LENGTH_AT = 8;
  private static final int STATE_AT = 10;
  private static final int HEAD_BYTES = 11;

  private static final byte FRESH = 0;
  private static final byte USED = 1;
  private static final byte DEAD = 2;

  /** Of table and hashes, per slot. */
  private static final int SLOT_BYTES = 8;

  private static final int SLOTS_MIN = 256;

  /** Spreads the bits of {@link Bytes#hashCode}: consecutive names have consecutive hashes. */
  private static final int SPREAD = 0x9e3779b9;

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());

  /** Stores that share the budget. */
  private static final AtomicInteger OPEN = new AtomicInteger();

  /** By number; null where there is none now. */
  private byte[] @Nullable [] segments = new byte[8][];

  /** Numbers of the segments there are, the one being filled last. */
  private final Deque<Integer> order = new ArrayDeque<>();

  private int filling = -1;

  /** Bytes of the segment being filled that are taken. */
  private int filled;

  /** Where rows are: unit of all segments, plus one; 0 for a free slot. Open addressing. */
  private int[] table = new int[SLOTS_MIN];

  /** Of the rows in the same slots of {@link #table}. */
  private int[] hashes = new int[SLOTS_MIN];

  private int count;
  private long budget = BYTES_DEFAULT;
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

  /** The row, {@link #ABSENT} if it is known that there is none, or null if nothing is known. */
  byte @Nullable [] get(Bytes key) {
    int slot = find(key, hash(key));
    if (slot < 0) {
      return null;
    }
    byte[] segment = segmentAt(table[slot]);
    int at = offsetOf(table[slot]);
    if (segment[at + STATE_AT] != USED) {
      segment[at + STATE_AT] = USED;
    }
    int length = (short) SHORT.get(segment, at + VALUE_LENGTH_AT);
    if (length < 0) {
      return ABSENT;
    }
    int from = at + HEAD_BYTES + (short) SHORT.get(segment, at + KEY_LENGTH_AT);
    return Arrays.copyOfRange(segment, from, from + length);
  }

  /** The row has been read or written; null: there is none. */
  void put(Bytes key, byte @Nullable [] value) {
    byte[] name = key.get();
    if (LETTERS.indexOf(name[0]) < 0) {
      return;
    }
    int hash = hash(key);
    int slot = find(key, hash);
    int length = name.length + (value == null ? 0 : value.length);
    if (length > ROW_BYTES_MAX) {
      if (slot >= 0) {
        kill(table[slot]);
        free(slot);
      }
      return;
    }
    if (slot >= 0) {
      byte[] segment = segmentAt(table[slot]);
      int at = offsetOf(table[slot]);
      if (HEAD_BYTES + length <= bytesAt(segment, at)) {
        segment[at + STATE_AT] = USED;
        setValue(segment, at, name.length, value);
        return;
      }
      kill(table[slot]);
      free(slot);
    }
    int bytes = (HEAD_BYTES + length + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    makeRoom(bytes);
    byte[] segment = segment(filling);
    int at = filled;
    filled += bytes;
    INT.set(segment, at, hash);
    SHORT.set(segment, at + UNITS_AT, (short) (bytes / UNIT_BYTES));
    SHORT.set(segment, at + KEY_LENGTH_AT, (short) name.length);
    segment[at + STATE_AT] = FRESH;
    System.arraycopy(name, 0, segment, at + HEAD_BYTES, name.length);
    setValue(segment, at, name.length, value);
    insert(hash, filling * UNITS_PER_SEGMENT + at / UNIT_BYTES + 1);
  }

  private static void setValue(byte[] segment, int at, int nameLength, byte @Nullable [] value) {
    SHORT.set(segment, at + VALUE_LENGTH_AT, (short) (value == null ? -1 : value.length));
    if (value != null) {
      System.arraycopy(value, 0, segment, at + HEAD_BYTES + nameLength, value.length);
    }
  }

  /** Rows known, absent ones included. */
  int count() {
    return count;
  }

  /** Bytes taken. */
  long bytes() {
    return order.size() * (long) SEGMENT_BYTES + table.length * (long) SLOT_BYTES;
  }

  void clear() {
    segments = new byte[8][];
    order.clear();
    filling = -1;
    filled = 0;
    table = new int[SLOTS_MIN];
    hashes = new int[SLOTS_MIN];
    count = 0;
  }

  // --- segments

  private byte[] segment(int number) {
    byte[] segment = segments[number];
    if (segment == null) {
      throw new IllegalStateException("no segment " + number);
    }
    return segment;
  }

  private byte[] segmentAt(int place) {
    return segment((place - 1) / UNITS_PER_SEGMENT);
  }

  private static int offsetOf(int place) {
    return (place - 1) % UNITS_PER_SEGMENT * UNIT_BYTES;
  }

  private static int bytesAt(byte[] segment, int at) {
    return (short) SHORT.get(segment, at + UNITS_AT) * UNIT_BYTES;
  }

  private void kill(int place) {
    segmentAt(place)[offsetOf(place) + STATE_AT] = DEAD;
  }

  private int segmentsMax() {
    long share = budget / Math.max(1, OPEN.get()) - table.length * (long) SLOT_BYTES;
    return (int) Math.max(SEGMENTS_MIN, share / SEGMENT_BYTES);
  }

  /** Has the segment being filled hold so many bytes more. */
  private void makeRoom(int bytes) {
    if (filling >= 0 && filled + bytes <= SEGMENT_BYTES) {
      return;
    }
    if (filling >= 0 && filled < SEGMENT_BYTES) {
      // What ends a segment early.
      SHORT.set(segment(filling), filled + UNITS_AT, (short) 0);
    }
    int max = segmentsMax();
    while (order.size() > max) {
      int eldest = order.removeFirst();
      keepUsed(eldest, 0);
      segments[eldest] = null;
      // The share has shrunk: what the table needs no longer, rows may have.
      if (table.length > SLOTS_MIN && 8 * count < table.length) {
        resize(table.length / 2);
        max = segmentsMax();
      }
    }
    if (order.size() < max) {
      filling = freeNumber();
      segments[filling] = new byte[SEGMENT_BYTES];
      filled = 0;
    } else {
      filling = order.removeFirst();
      // Half of it at most, or a store whose rows are all in use would search and search.
      filled = keepUsed(filling, SEGMENT_BYTES / 2);
    }
    order.addLast(filling);
  }

  private int freeNumber() {
    for (int number = 0; number < segments.length; number++) {
      if (segments[number] == null) {
        return number;
      }
    }
    int number = segments.length;
    segments = Arrays.copyOf(segments, 2 * number);
    return number;
  }

  /**
   * Moves what was used to the segment's beginning, and forgets the rest.
   *
   * @param bytesMax how much may stay
   * @return how much has stayed
   */
  private int keepUsed(int number, int bytesMax) {
    byte[] segment = segment(number);
    int kept = 0;
    int bytes;
    for (int at = 0; at < SEGMENT_BYTES; at += bytes) {
      bytes = bytesAt(segment, at);
      if (bytes == 0) {
        break;
      }
      if (segment[at + STATE_AT] == DEAD) {
        continue;
      }
      int slot = slotOf((int) INT.get(segment, at), placeOf(number, at));
      if (segment[at + STATE_AT] == USED && kept + bytes <= bytesMax) {
        System.arraycopy(segment, at, segment, kept, bytes);
        segment[kept + STATE_AT] = FRESH;
        table[slot] = placeOf(number, kept);
        kept += bytes;
      } else {
        free(slot);
      }
    }
    return kept;
  }

  private static int placeOf(int number, int at) {
    return number * UNITS_PER_SEGMENT + at / UNIT_BYTES + 1;
  }

  // --- table

  private static int hash(Bytes key) {
    int hash = key.hashCode() * SPREAD;
    return hash ^ (hash >>> 16);
  }

  /** The row's slot, or -1. */
  private int find(Bytes key, int hash) {
    byte[] name = key.get();
    int mask = table.length - 1;
    for (int slot = hash & mask; table[slot] != 0; slot = (slot + 1) & mask) {
      if (hashes[slot] == hash && isAt(table[slot], name)) {
        return slot;
      }
    }
    return -1;
  }

  private boolean isAt(int place, byte[] name) {
    byte[] segment = segmentAt(place);
    int at = offsetOf(place);
    int from = at + HEAD_BYTES;
    return (short) SHORT.get(segment, at + KEY_LENGTH_AT) == name.length
        && Arrays.equals(segment, from, from + name.length, name, 0, name.length);
  }

  /** The slot of a row that is known to have one. */
  private int slotOf(int hash, int place) {
    int mask = table.length - 1;
    int slot = hash & mask;
    while (table[slot] != place) {
      if (table[slot] == 0) {
        throw new IllegalStateException("a row is not in the table");
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void insert(int hash, int place) {
    if (2 * (count + 1) > table.length) {
      resize(2 * table.length);
    }
    count++;
    set(hash, place);
  }

  private void set(int hash, int place) {
    int mask = table.length - 1;
    int slot = hash & mask;
    while (table[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    table[slot] = place;
    hashes[slot] = hash;
  }

  private void resize(int slots) {
    int[] places = table;
    int[] ofPlaces = hashes;
    table = new int[slots];
    hashes = new int[slots];
    for (int slot = 0; slot < places.length; slot++) {
      if (places[slot] != 0) {
        set(ofPlaces[slot], places[slot]);
      }
    }
  }

  /** Frees a slot, and moves up those behind it that had to give way. */
  private void free(int slot) {
    count--;
    int mask = table.length - 1;
    int hole = slot;
    for (int next = (hole + 1) & mask; table[next] != 0; next = (next + 1) & mask) {
      int home = hashes[next] & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        table[hole] = table[next];
        hashes[hole] = hashes[next];
        hole = next;
      }
    }
    table[hole] = 0;
  }
}
