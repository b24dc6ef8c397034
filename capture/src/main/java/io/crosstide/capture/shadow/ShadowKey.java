package io.crosstide.capture.shadow;

import io.crosstide.capture.shadow.RowStore.RowScan;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A handle on one key of a {@link Shadow}, present or not. Writes to elements happen at once, the
 * key's header is written back when the handle is left or the unit sealed.
 *
 * <p>As in Redis, a collection is there exactly while it has elements: the first {@code put} or
 * {@code add} creates it, the last {@code remove} deletes it with its deadline. This holds for keys
 * that are {@link #exact()}; of others only what was seen since they became so is known.
 */
public final class ShadowKey {
  private final Shadow shadow;
  private final int db;
  private final Bytes name;

  private boolean exists;

  /** Made since {@link #noLongerNew}, not there before. */
  private boolean isNew;

  private ShadowType type = ShadowType.OPAQUE;
  private boolean exact;
  private long deadlineMillis;
  private long generation;
  private long count;
  private @Nullable Content content;

  /** Whether the key's row says that it is unresolved. */
  private boolean indexed;

  private boolean dirty;
  private boolean detached;

  ShadowKey(Shadow shadow, int db, Bytes name, @Nullable KeyHeader header) {
    this.shadow = shadow;
    this.db = db;
    this.name = name;
    if (header != null) {
      exists = true;
      type = header.type();
      exact = header.exact();
      deadlineMillis = header.deadlineMillis();
      generation = header.generation();
      count = header.count();
      content = header.content();
      indexed = type == ShadowType.UNRESOLVED;
    }
  }

  // ---- reads ----

  public int db() {
    return db;
  }

  public Bytes name() {
    return name;
  }

  public RedisKey redisKey() {
    return new RedisKey(db, name);
  }

  /** Whether Redis holds the key, as far as is known. */
  public boolean exists() {
    return exists;
  }

  /** Whether a write made the key since {@link Shadow#noLongerNew}: it was not there before. */
  public boolean isNew() {
    return exists && isNew;
  }

  void noLongerNew() {
    isNew = false;
  }

  public boolean is(ShadowType wanted) {
    return exists && type == wanted;
  }

  /** Only for a key that {@link #exists()}. */
  public ShadowType type() {
    return type;
  }

  /**
   * Whether what is known of the key is all there is. An absent key is exact: the stream shows
   * everything that creates one.
   */
  public boolean exact() {
    return !exists || exact;
  }

  /** Whether the content is awaited in the stream: see {@link ShadowType#UNRESOLVED}. */
  public boolean isUnresolved() {
    return is(ShadowType.UNRESOLVED);
  }

  /** Milliseconds since 1970; 0 for no deadline. */
  public long deadlineMillis() {
    return deadlineMillis;
  }

  /** Number of elements known; 0 for strings. */
  public long count() {
    return count;
  }

  /** A string's value or digest; null while it is unknown or for another type. */
  public @Nullable Content content() {
    return content;
  }

  /** A hash field's value or digest, {@link Content#ABSENT} if there is none. */
  public Content field(Bytes field) {
    byte[] value = is(ShadowType.HASH) ? elementRow(field) : null;
    return value == null ? Content.ABSENT : ElementRow.field(value, ShadowNames.isLong(field));
  }

  /** What a row of a stream holds, {@link Content#ABSENT} if there is none. */
  Content streamRow(Bytes row) {
    byte[] value = is(ShadowType.STREAM) ? elementRow(row) : null;
    return value == null ? Content.ABSENT : ElementRow.field(value, ShadowNames.isLong(row));
  }

  public boolean hasMember(Bytes member) {
    return is(ShadowType.SET) && elementRow(member) != null;
  }

  /** A member's score, NaN if it is absent. */
  public double score(Bytes member) {
    byte[] value = is(ShadowType.ZSET) ? elementRow(member) : null;
    return value == null ? Double.NaN : ElementRow.score(value);
  }

  /** The elements as a list's; to be used as long as this handle is. */
  public ShadowList list() {
    return new ShadowList(shadow, this);
  }

  /**
   * All elements in the order of {@link ShadowNames#compare}, of a list in the list's; none for
   * strings.
   */
  public ElementCursor elements() {
    return byName();
  }

  /** A sorted set's members from the lowest score up, or from the highest down. */
  public ElementCursor byScore(boolean descending) {
    return walkByScore(null, descending);
  }

  /** A sorted set's members from the first with {@code score} up. */
  public ElementCursor fromScore(double score) {
    Integer space = shadow.space(db);
    if (!is(ShadowType.ZSET) || space == null) {
      return ElementCursor.empty();
    }
    if (shadow.scoreBounds().first(generation) == null) {
      try (ElementCursor lowest = byScore(false)) {
        lowest.next();
      }
    }
    byte[] wanted = Rows.fromScore(space, generation, score);
    byte[] first = shadow.scoreBounds().first(generation);
    byte[] last = shadow.scoreBounds().last(generation);
    if (last != null && Arrays.compareUnsigned(wanted, last) > 0) {
      return ElementCursor.empty();
    }
    boolean fromLowest = first != null && Arrays.compareUnsigned(wanted, first) <= 0;
    return fromLowest ? byScore(false) : walkByScore(wanted, null);
  }

  private ElementCursor walkByScore(byte @Nullable [] from, @Nullable Boolean fromEnd) {
    Integer space = shadow.space(db);
    if (!is(ShadowType.ZSET) || space == null) {
      return ElementCursor.empty();
    }
    byte[] prefix = Rows.byScoreOf(space, generation);
    byte[] first = from != null ? from : shadow.scoreBounds().first(generation);
    byte[] last = shadow.scoreBounds().last(generation);
    RowScan scan =
        shadow
            .overlay()
            .scan(
                first != null ? first : prefix,
                last != null ? Rows.after(last) : Rows.afterPrefix(prefix),
                Boolean.TRUE.equals(fromEnd));
    ElementCursor.FirstMet firstMet =
        fromEnd == null ? row -> {} : row -> shadow.scoreBounds().walked(generation, fromEnd, row);
    return ElementCursor.byScore(scan, shadow.overlay(), firstMet);
  }

  /** Elements in the order of {@link #elements()}, from the first at or after {@code name}. */
  public ElementCursor elementsFrom(Bytes name) {
    Integer space = shadow.space(db);
    if (!exists || generation == 0 || space == null) {
      return ElementCursor.empty();
    }
    RowScan scan =
        shadow
            .overlay()
            .scan(
                Rows.element(space, generation, name),
                Rows.afterPrefix(Rows.elementsOf(space, generation)),
                false);
    return ElementCursor.byName(scan, type);
  }

  private ElementCursor byName() {
    Integer space = shadow.space(db);
    if (!exists || generation == 0 || space == null) {
      return ElementCursor.empty();
    }
    return ElementCursor.byName(shadow.scanPrefix(Rows.elementsOf(space, generation), false), type);
  }

  // ---- writes ----

  /** Makes the key a string, whatever it was. Its deadline stays. */
  public void setString(Bytes value) {
    setStringContent(kept(value, shadow.options().inlineBytesMax()));
  }

  /**
   * As {@link #setString}, for a value of which parts are likely to be changed next: kept whole up
   * to a greater length.
   */
  public void setStringForParts(Bytes value) {
    setStringContent(kept(value, shadow.options().partsBytesMax()));
  }

  /** As {@link #setString}, for a value of which perhaps only the digest is known. */
  public void setStringContent(Content value) {
    writable();
    dropElements();
    isNew |= !exists;
    exists = true;
    type = ShadowType.STRING;
    exact = true;
    content = value;
  }

  /** Returns whether the field is new. */
  public boolean putField(Bytes field, Bytes value) {
    become(ShadowType.HASH);
    byte[] row = Rows.element(shadow.requireSpace(db), generation, field);
    boolean isNew = shadow.overlay().get(row) == null;
    shadow
        .overlay()
        .put(row, ElementRow.ofField(field, kept(value, shadow.options().inlineBytesMax())));
    countIf(isNew);
    return isNew;
  }

  /** As {@link #putField}, for a value of which perhaps only the digest is known. */
  public void putFieldContent(Bytes field, Content value) {
    become(ShadowType.HASH);
    byte[] row = Rows.element(shadow.requireSpace(db), generation, field);
    boolean isNew = shadow.overlay().get(row) == null;
    shadow.overlay().put(row, ElementRow.ofField(field, value));
    countIf(isNew);
  }

  /** Writes a row of a stream. Returns whether it is new. */
  boolean putStreamRow(Bytes row, Content value) {
    become(ShadowType.STREAM);
    byte[] element = Rows.element(shadow.requireSpace(db), generation, row);
    boolean isNew = shadow.overlay().get(element) == null;
    shadow.overlay().put(element, ElementRow.ofField(row, value));
    countIf(isNew);
    return isNew;
  }

  /** The rows from {@code from} to before {@code to}, or back from there. */
  ElementCursor streamRows(Bytes from, Bytes to, boolean descending) {
    Integer space = shadow.space(db);
    if (!is(ShadowType.STREAM) || space == null) {
      return ElementCursor.empty();
    }
    RowScan scan =
        shadow
            .overlay()
            .scan(
                Rows.element(space, generation, from),
                Rows.element(space, generation, to),
                descending);
    return ElementCursor.byName(scan, type);
  }

  /** {@code value}, or its digest if it is too long to be kept. */
  Content keep(Bytes value) {
    return kept(value, shadow.options().inlineBytesMax());
  }

  /** Returns whether the member is new. */
  public boolean addMember(Bytes member) {
    become(ShadowType.SET);
    byte[] row = Rows.element(shadow.requireSpace(db), generation, member);
    if (shadow.overlay().get(row) != null) {
      return false;
    }
    shadow.overlay().put(row, ElementRow.ofMember(member));
    countIf(true);
    return true;
  }

  /** Returns whether the member is new. */
  public boolean putScore(Bytes member, double score) {
    become(ShadowType.ZSET);
    int space = shadow.requireSpace(db);
    byte[] row = Rows.element(space, generation, member);
    byte[] old = shadow.overlay().get(row);
    if (old != null) {
      shadow.overlay().delete(Rows.byScore(space, generation, ElementRow.score(old), member));
    }
    shadow.overlay().put(row, ElementRow.ofScore(member, score));
    byte[] byScore = Rows.byScore(space, generation, score, member);
    shadow.overlay().put(byScore, NO_VALUE);
    shadow.scoreBounds().written(generation, byScore);
    countIf(old == null);
    return old == null;
  }

  /**
   * Removes an element and, with the last one of an exact key, the key. Returns whether it was
   * there.
   */
  public boolean remove(Bytes element) {
    writable();
    Integer space = shadow.space(db);
    if (!exists || generation == 0 || space == null) {
      return false;
    }
    byte[] row = Rows.element(space, generation, element);
    byte[] old = shadow.overlay().get(row);
    if (old == null) {
      return false;
    }
    shadow.overlay().delete(row);
    if (type == ShadowType.ZSET) {
      shadow.overlay().delete(Rows.byScore(space, generation, ElementRow.score(old), element));
    }
    countRemoved();
    return true;
  }

  /** Sets the deadline, in milliseconds since 1970; 0 removes it. Nothing for an absent key. */
  public void deadline(long millis) {
    writable();
    if (exists) {
      deadlineMillis = millis;
    }
  }

  /** Removes the key with all it holds. */
  public void delete() {
    writable();
    dropElements();
    reset();
  }

  /**
   * Something of type {@code now} stands here, but its contents are not known any more: of a key of
   * that type what is known stays as a guess.
   */
  public void markUnknown(ShadowType now) {
    writable();
    if (!exists || type != now) {
      dropElements();
      exists = true;
      type = now;
      if (now != ShadowType.STRING && now != ShadowType.OPAQUE && now != ShadowType.UNRESOLVED) {
        generation = shadow.nextGeneration();
      }
    }
    exact = false;
    content = null;
  }

  /** Counts that the shadow was wrong, and marks the key as {@link #markUnresolved} does. */
  public void mismatch() {
    shadow.countMismatch();
    markUnresolved();
  }

  /** Marks the key as one whose contents are not followed. Its deadline stays. */
  public void markOpaque() {
    markUnknown(ShadowType.OPAQUE);
  }

  /** Marks the key as one whose content is awaited in the stream. Its deadline stays. */
  public void markUnresolved() {
    markUnknown(ShadowType.UNRESOLVED);
  }

  // ---- inner workings ----

  private static final byte[] NO_VALUE = {};

  private byte @Nullable [] elementRow(Bytes element) {
    Integer space = shadow.space(db);
    return space == null || generation == 0
        ? null
        : shadow.overlay().get(Rows.element(space, generation, element));
  }

  private static Content kept(Bytes value, int bytesMax) {
    Content whole = Content.of(value);
    return value.length() <= bytesMax ? whole : Content.digest(whole.sha1());
  }

  /** Makes the key a collection of this type, unless it is one. */
  private void become(ShadowType wanted) {
    if (exists && type == wanted) {
      writable();
      return;
    }
    writable();
    if (exists) {
      if (exact) {
        shadow.countMismatch();
      }
      dropElements();
      exact = false;
    } else {
      isNew = true;
      exists = true;
      exact = true;
      deadlineMillis = 0;
    }
    type = wanted;
    content = null;
    generation = shadow.nextGeneration();
  }

  /** For {@link ShadowList}: makes the key a list, unless it is one. */
  void becomeList() {
    become(ShadowType.LIST);
  }

  /** For {@link ShadowList}: 0 if the key has no elements. */
  long generation() {
    return generation;
  }

  void countAdded() {
    countIf(true);
  }

  void countRemoved() {
    writable();
    count--;
    if (count == 0 && exact) {
      reset();
    }
  }

  private void countIf(boolean isNew) {
    if (isNew) {
      count++;
    }
  }

  private void dropElements() {
    Integer space = shadow.space(db);
    if (generation != 0 && space != null) {
      byte[] elements = Rows.elementsOf(space, generation);
      byte[] byScore = Rows.byScoreOf(space, generation);
      if (count <= Shadow.ROW_BY_ROW_MAX) {
        deleteRows(elements);
        if (type == ShadowType.ZSET || type == ShadowType.LIST) {
          deleteRows(byScore);
        }
      } else {
        shadow.overlay().dropPrefix(elements);
        if (type == ShadowType.ZSET || type == ShadowType.LIST) {
          shadow.overlay().dropPrefix(byScore);
        }
      }
    }
    generation = 0;
    count = 0;
  }

  private void deleteRows(byte[] prefix) {
    if (count == 0) {
      return;
    }
    try (RowScan scan = shadow.scanPrefix(prefix, false)) {
      while (scan.next()) {
        shadow.overlay().delete(scan.row());
      }
    }
  }

  private void reset() {
    exists = false;
    isNew = false;
    exact = false;
    deadlineMillis = 0;
    generation = 0;
    count = 0;
    content = null;
    type = ShadowType.OPAQUE;
  }

  private void writable() {
    if (detached) {
      throw new IllegalStateException(
          "the handle on key " + redisKey() + " was left: another key was opened since");
    }
    dirty = true;
  }

  @Nullable KeyHeader header() {
    return exists ? new KeyHeader(type, exact, deadlineMillis, generation, count, content) : null;
  }

  void writeBack() {
    if (!dirty) {
      return;
    }
    dirty = false;
    KeyHeader header = header();
    if (header != null) {
      shadow.overlay().put(Rows.key(shadow.requireSpace(db), name), header.encode(name));
    } else {
      Integer space = shadow.space(db);
      if (space != null) {
        shadow.overlay().delete(Rows.key(space, name));
      }
    }
    if (indexed != isUnresolved()) {
      indexed = !indexed;
      shadow.index(db, name, indexed);
    }
  }

  void detach() {
    detached = true;
  }

  @Override
  public String toString() {
    return redisKey() + (exists ? " " + type + (exact ? "" : "?") + " " + count : " absent");
  }
}
