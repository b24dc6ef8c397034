package io.crosstide.capture.shadow;

import io.crosstide.capture.shadow.RowStore.RowScan;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Content;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The elements of one list in the order in which Redis holds them, each with its position.
 *
 * <p>An element's row is named by its <em>place</em>. Normally that is its position. An element
 * that Redis holds out of its position's order has a place made to sort between its neighbours'
 * instead, and a row that leads from its position to it. Places are positions in form, so there is
 * always room between two, and a position made between two neighbours' places sorts between these
 * neighbours.
 *
 * <p>First and last elements are found at the same cost in lists of any length, others by walking
 * from an end.
 */
public final class ShadowList {
  /**
   * Longest position that is followed: rows of longer ones would not sort. It takes hundreds of
   * insertions, each between the last two, to make one. Bytes.
   */
  public static final int POSITION_BYTES_MAX = ShadowNames.RAW_MAX / 2;

  /** Made places need an origin that makes no positions. */
  private static final Origin PLACES = new Origin(Origin.REGION_ID_MAX, Origin.SHARD_MAX, 0);

  private final Shadow shadow;
  private final ShadowKey key;

  ShadowList(Shadow shadow, ShadowKey key) {
    this.shadow = shadow;
    this.key = key;
  }

  /**
   * One element.
   *
   * @param place what its row is named by
   */
  public record Entry(Bytes place, Bytes position, Content content) {
    /** Whether it stands elsewhere than its position sorts. */
    public boolean isMisplaced() {
      return !place.equals(position);
    }
  }

  // ---- reads ----

  public @Nullable Entry first() {
    return nearEnd(false, 0);
  }

  public @Nullable Entry last() {
    return nearEnd(true, 0);
  }

  /** One of the first or last elements, without a walk if it has been met lately. */
  private @Nullable Entry nearEnd(boolean last, int skip) {
    Integer space = space();
    if (space == null) {
      return null;
    }
    Entry known = known(last, skip);
    if (known == null) {
      List<byte[]> found = new ArrayList<>(ListEnds.ROWS_MAX);
      try (Walk walk = walk(last)) {
        Entry at = walk.next();
        while (at != null && found.size() < ListEnds.ROWS_MAX) {
          found.add(Rows.element(space, key.generation(), at.place()));
          at = found.size() < ListEnds.ROWS_MAX ? walk.next() : null;
        }
      }
      shadow.listEnds().found(key.generation(), last, found);
      known = known(last, skip);
    }
    return known;
  }

  private @Nullable Entry known(boolean last, int skip) {
    byte[] row = shadow.listEnds().row(key.generation(), last, skip);
    byte[] value = row == null ? null : shadow.overlay().get(row);
    return row == null || value == null ? null : entry(row, value);
  }

  /**
   * The element at an index from the head, or, if negative, from the tail; null if there is none.
   */
  public @Nullable Entry at(long index) {
    long fromHead = index < 0 ? key.count() + index : index;
    if (fromHead < 0 || fromHead >= key.count()) {
      return null;
    }
    boolean backwards = fromHead > key.count() / 2;
    long skip = backwards ? key.count() - 1 - fromHead : fromHead;
    if (skip < ListEnds.ROWS_MAX) {
      return nearEnd(backwards, (int) skip);
    }
    try (Walk walk = walk(backwards)) {
      Entry entry = walk.next();
      for (long i = 0; i < skip && entry != null; i++) {
        entry = walk.next();
      }
      return entry;
    }
  }

  /** The element with this position, wherever it stands; null if there is none. */
  public @Nullable Entry find(Bytes position) {
    Integer space = space();
    if (space == null) {
      return null;
    }
    byte[] row = Rows.element(space, key.generation(), position);
    byte[] value = shadow.overlay().get(row);
    if (value == null) {
      byte[] place = shadow.overlay().get(Rows.displaced(space, key.generation(), position));
      if (place == null) {
        return null;
      }
      row = Rows.element(space, key.generation(), Bytes.wrap(place));
      value = shadow.overlay().get(row);
    }
    return value == null ? null : entry(row, value);
  }

  /** The index of an element from the head, at the cost of its distance to the nearer end. */
  public long indexOf(Entry entry) {
    try (Walk up = walk(false);
        Walk down = walk(true)) {
      for (long i = 0; i < key.count(); i++) {
        Entry below = up.next();
        if (below != null && below.place().equals(entry.place())) {
          return i;
        }
        Entry above = down.next();
        if (above != null && above.place().equals(entry.place())) {
          return key.count() - 1 - i;
        }
      }
    }
    throw new IllegalArgumentException(key + " has no element at " + entry.place());
  }

  /** The element just before or after one; null at the end. */
  public @Nullable Entry beside(Entry entry, boolean before) {
    try (Walk walk = walkFrom(entry.place(), before)) {
      return walk.next();
    }
  }

  /** From the head to the tail, or the other way. */
  public Walk walk(boolean backwards) {
    Integer space = space();
    if (space == null) {
      return new Walk(null);
    }
    return new Walk(shadow.overlay().scan(lowest(space), beyondHighest(space), backwards));
  }

  /** From the element next to a place, which need not be taken, to one of the ends. */
  public Walk walkFrom(Bytes place, boolean backwards) {
    Integer space = space();
    if (space == null) {
      return new Walk(null);
    }
    byte[] row = Rows.element(space, key.generation(), place);
    byte[] from = backwards ? lowest(space) : Rows.after(row);
    byte[] to = backwards ? row : beyondHighest(space);
    return Arrays.compareUnsigned(from, to) >= 0
        ? new Walk(null)
        : new Walk(shadow.overlay().scan(from, to, backwards));
  }

  /** No row stands before it. */
  private byte[] lowest(int space) {
    byte[] bound = shadow.listEnds().bound(key.generation(), false);
    return bound != null ? bound : Rows.elementsOf(space, key.generation());
  }

  /** No row stands there or behind. */
  private byte[] beyondHighest(int space) {
    byte[] bound = shadow.listEnds().bound(key.generation(), true);
    return bound != null
        ? Rows.after(bound)
        : Rows.afterPrefix(Rows.elementsOf(space, key.generation()));
  }

  /** A walk over the elements, which may be written and removed meanwhile. To be closed. */
  public static final class Walk implements AutoCloseable {
    private final @Nullable RowScan scan;

    private Walk(@Nullable RowScan scan) {
      this.scan = scan;
    }

    /** The next element; null at the end. */
    public @Nullable Entry next() {
      return scan != null && scan.next() ? entry(scan.row(), scan.value()) : null;
    }

    @Override
    public void close() {
      if (scan != null) {
        scan.close();
      }
    }
  }

  private static Entry entry(byte[] row, byte[] value) {
    Bytes place = Rows.nameOfElement(row);
    Bytes position = ElementRow.position(value);
    return new Entry(place, position == null ? place : position, ElementRow.listElement(value));
  }

  private @Nullable Integer space() {
    return key.is(ShadowType.LIST) && key.generation() != 0 ? shadow.space(key.db()) : null;
  }

  // ---- writes ----

  /** Whether rows of an element between these two would not sort any more. */
  public static boolean isTooDeep(@Nullable Bytes left, @Nullable Bytes right, Bytes position) {
    return position.length() > POSITION_BYTES_MAX
        || (left != null && left.length() > POSITION_BYTES_MAX)
        || (right != null && right.length() > POSITION_BYTES_MAX);
  }

  /**
   * Puts in an element between two that stand side by side, whatever its position.
   *
   * @param left place of the element before it, null at the head
   * @param right place of the element behind it, null at the tail
   * @param position of no element of this list
   */
  public Entry insert(
      @Nullable Bytes left, @Nullable Bytes right, Bytes position, Content content) {
    boolean fits =
        (left == null || left.compareTo(position) < 0)
            && (right == null || position.compareTo(right) < 0);
    Bytes place = fits ? position : placeBetween(left, right);
    Entry made = write(place, position, content);
    byte[] row = Rows.element(shadow.requireSpace(key.db()), key.generation(), place);
    if (right == null) {
      shadow.listEnds().madeEnd(key.generation(), true, row);
    }
    if (left == null) {
      shadow.listEnds().madeEnd(key.generation(), false, row);
    }
    return made;
  }

  /** A place for what has no position of its own, to be used as its position. */
  public static Bytes placeBetween(@Nullable Bytes left, @Nullable Bytes right) {
    return ListPosition.between(left, right, PLACES, 1, Side.AFTER_LEFT);
  }

  /** Replaces the content at a position; puts it in where the position sorts if it is not there. */
  public void put(Bytes position, Content content) {
    Entry known = find(position);
    if (known == null) {
      write(position, position, content);
    } else {
      set(known, content);
    }
  }

  /** Puts in an element behind the last, for lists of which only the order is needed. */
  public void append(Content content) {
    Entry last = last();
    Bytes left = last == null ? null : last.place();
    Bytes place = ListPosition.between(left, null, PLACES, key.count() + 1, Side.AFTER_LEFT);
    insert(left, null, place, content);
  }

  private Entry write(Bytes place, Bytes position, Content content) {
    if (place.length() > ShadowNames.RAW_MAX) {
      throw new IllegalArgumentException(
          "a place of " + place.length() + " bytes in " + key + ": rows of it would not sort");
    }
    key.becomeList();
    int space = shadow.requireSpace(key.db());
    boolean misplaced = !place.equals(position);
    byte[] row = Rows.element(space, key.generation(), place);
    Content kept = kept(content);
    shadow.overlay().put(row, ElementRow.ofListElement(kept, misplaced ? position : null));
    shadow.listEnds().written(key.generation(), row);
    if (misplaced) {
      shadow.overlay().put(Rows.displaced(space, key.generation(), position), place.array());
    }
    key.countAdded();
    return new Entry(place, position, kept);
  }

  /** Replaces an element's content. */
  public void set(Entry entry, Content content) {
    key.becomeList();
    shadow
        .overlay()
        .put(
            Rows.element(shadow.requireSpace(key.db()), key.generation(), entry.place()),
            ElementRow.ofListElement(kept(content), entry.isMisplaced() ? entry.position() : null));
  }

  /** Removes an element and, with the last one of an exact key, the key. */
  public void remove(Entry entry) {
    int space = shadow.requireSpace(key.db());
    byte[] row = Rows.element(space, key.generation(), entry.place());
    shadow.overlay().delete(row);
    shadow.listEnds().removed(key.generation(), row);
    if (entry.isMisplaced()) {
      shadow.overlay().delete(Rows.displaced(space, key.generation(), entry.position()));
    }
    key.countRemoved();
  }

  private Content kept(Content content) {
    Bytes value = content.value();
    return value != null && value.length() > shadow.options().partsBytesMax()
        ? Content.digest(content.sha1())
        : content;
  }
}
