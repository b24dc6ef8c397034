package io.crosstide.capture.shadow;

import io.crosstide.capture.shadow.RowStore.RowScan;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Content;
import java.util.Arrays;
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
    return end(false);
  }

  public @Nullable Entry last() {
    return end(true);
  }

  private @Nullable Entry end(boolean last) {
    Integer space = space();
    if (space == null) {
      return null;
    }
    WalkBounds bounds = shadow.walkBounds();
    byte[] bound = last ? bounds.last(key.generation()) : bounds.first(key.generation());
    byte[] value = bound == null ? null : shadow.overlay().get(bound);
    if (bound != null && value != null) {
      return entry(bound, value);
    }
    try (Walk walk = walk(last)) {
      return walk.next();
    }
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
    if (skip == 0) {
      return end(backwards);
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
      return new Walk(null, null);
    }
    WalkBounds bounds = shadow.walkBounds();
    byte[] prefix = Rows.elementsOf(space, key.generation());
    byte[] first = bounds.first(key.generation());
    byte[] last = bounds.last(key.generation());
    return new Walk(
        shadow
            .overlay()
            .scan(
                first != null ? first : prefix,
                last != null ? Rows.after(last) : Rows.afterPrefix(prefix),
                backwards),
        backwards);
  }

  /** From the element next to a place, which need not be taken, to one of the ends. */
  public Walk walkFrom(Bytes place, boolean backwards) {
    Integer space = space();
    if (space == null) {
      return new Walk(null, null);
    }
    byte[] row = Rows.element(space, key.generation(), place);
    byte[] prefix = Rows.elementsOf(space, key.generation());
    byte[] first = shadow.walkBounds().first(key.generation());
    byte[] last = shadow.walkBounds().last(key.generation());
    byte[] from = backwards ? first != null ? first : prefix : Rows.after(row);
    byte[] to = backwards ? row : last != null ? Rows.after(last) : Rows.afterPrefix(prefix);
    return Arrays.compareUnsigned(from, to) >= 0
        ? new Walk(null, null)
        : new Walk(shadow.overlay().scan(from, to, backwards), null);
  }

  /** A walk over the elements, which may be written and removed meanwhile. To be closed. */
  public final class Walk implements AutoCloseable {
    private final @Nullable RowScan scan;
    private @Nullable Boolean fromEnd;

    private Walk(@Nullable RowScan scan, @Nullable Boolean fromEnd) {
      this.scan = scan;
      this.fromEnd = fromEnd;
    }

    /** The next element; null at the end. */
    public @Nullable Entry next() {
      if (scan == null || !scan.next()) {
        return null;
      }
      byte[] row = scan.row();
      Boolean end = fromEnd;
      if (end != null) {
        shadow.walkBounds().walked(Rows.generationOf(row), end, row);
        fromEnd = null;
      }
      return entry(row, scan.value());
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
    return write(place, position, content);
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
    write(place, place, content);
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
    shadow.walkBounds().written(key.generation(), row);
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
    shadow.overlay().delete(Rows.element(space, key.generation(), entry.place()));
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
