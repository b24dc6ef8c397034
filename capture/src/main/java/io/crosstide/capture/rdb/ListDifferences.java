package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes one list of the shadow equal to a snapshot's, by removals and insertions of as few elements
 * as can be found: a snapshot does not say which elements its values are, and those taken for the
 * same keep their positions.
 *
 * <p>Head and tail that are equal stay. In what is between, a list that was taken from or added to
 * at its ends is recognised however much that was ({@link #shifted}); else windows of both are
 * compared ({@link CommonElements}). Memory does not depend on the lists' length, time at most on
 * length times {@link #EDITS_MAX}.
 */
final class ListDifferences {
  /** Elements of each list that are compared at a time. */
  private static final int WINDOW = 50_000;

  /** Differences in a window beyond which they need not be the fewest. */
  private static final int EDITS_MAX = 1_000;

  /** So many elements in a row are taken for a place in the list. */
  private static final int ANCHOR = 8;

  /** How often the whole list is searched for one. */
  private static final int SEARCHES_MAX = 4;

  /** Publishes changes and has the shadow follow. */
  interface Output {
    /** Returns false if the list can no longer be followed. */
    boolean change(Change change);

    /** A position for an element that is to be put in between two places. */
    Bytes position(@Nullable Bytes left, @Nullable Bytes right);

    /** An element is too long to be published. */
    void tooLong();
  }

  private final ShadowKey known;
  private final ShadowKey actual;
  private final Output output;

  /**
   * Places between which the lists may differ: the last of the equal head, the first of the tail.
   */
  private @Nullable Bytes knownAt;

  private @Nullable Bytes knownEnd;
  private @Nullable Bytes actualAt;
  private long knownLeft;
  private long actualLeft;
  private int searches;

  /**
   * @param known exact, a list or absent
   */
  ListDifferences(ShadowKey known, ShadowKey actual, Output output) {
    this.known = known;
    this.actual = actual;
    this.output = output;
    this.knownLeft = known.is(ShadowType.LIST) ? known.count() : 0;
    this.actualLeft = actual.count();
  }

  void run() {
    skipHead();
    skipTail();
    boolean goesOn = true;
    while (goesOn && knownLeft + actualLeft > 0) {
      if (knownLeft == 0 || actualLeft == 0) {
        goesOn = replace(knownLeft, actualLeft);
      } else {
        long[] shift = knownLeft + actualLeft > EDITS_MAX ? shifted() : null;
        goesOn = shift != null ? replace(shift[0], shift[1]) : compareWindows();
        skipHead();
      }
    }
  }

  // ---- what is equal at the ends ----

  private void skipHead() {
    try (ShadowList.Walk left = ahead(known, knownAt);
        ShadowList.Walk right = ahead(actual, actualAt)) {
      while (knownLeft > 0 && actualLeft > 0) {
        ShadowList.Entry one = left.next();
        ShadowList.Entry other = right.next();
        if (one == null || other == null || !one.content().equals(other.content())) {
          return;
        }
        passKnown(one);
        passActual(other);
      }
    }
  }

  private void skipTail() {
    try (ShadowList.Walk left = known.list().walk(true);
        ShadowList.Walk right = actual.list().walk(true)) {
      while (knownLeft > 0 && actualLeft > 0) {
        ShadowList.Entry one = left.next();
        ShadowList.Entry other = right.next();
        if (one == null || other == null || !one.content().equals(other.content())) {
          return;
        }
        knownEnd = one.place();
        knownLeft--;
        actualLeft--;
      }
    }
  }

  private static ShadowList.Walk ahead(ShadowKey key, @Nullable Bytes place) {
    return place == null ? key.list().walk(false) : key.list().walkFrom(place, false);
  }

  private void passKnown(ShadowList.Entry entry) {
    knownAt = entry.place();
    knownLeft--;
  }

  private void passActual(ShadowList.Entry entry) {
    actualAt = entry.place();
    actualLeft--;
  }

  // ---- a list that was taken from or added to at its head ----

  /**
   * How many elements to remove, or to insert, until both go on alike; null if that was not found.
   */
  private long @Nullable [] shifted() {
    if (searches >= SEARCHES_MAX) {
      return null;
    }
    searches++;
    long removed = search(known, knownAt, knownLeft, digests(actual, actualAt, actualLeft, ANCHOR));
    if (removed >= 0) {
      return new long[] {removed, 0};
    }
    long inserted =
        search(actual, actualAt, actualLeft, digests(known, knownAt, knownLeft, ANCHOR));
    return inserted >= 0 ? new long[] {0, inserted} : null;
  }

  /** After how many elements of {@code key} these follow; -1 if nowhere. */
  private static long search(ShadowKey key, @Nullable Bytes from, long left, long[] wanted) {
    long[] recent = new long[wanted.length];
    try (ShadowList.Walk walk = ahead(key, from)) {
      for (long i = 0; i < left; i++) {
        ShadowList.Entry entry = walk.next();
        if (entry == null) {
          return -1;
        }
        System.arraycopy(recent, 1, recent, 0, recent.length - 1);
        recent[recent.length - 1] = digest(entry.content());
        if (i + 1 >= recent.length && Arrays.equals(recent, wanted)) {
          return i + 1 - recent.length;
        }
      }
    }
    return -1;
  }

  private static long[] digests(ShadowKey key, @Nullable Bytes from, long left, int max) {
    long[] digests = new long[(int) Math.min(left, max)];
    try (ShadowList.Walk walk = ahead(key, from)) {
      for (int i = 0; i < digests.length; i++) {
        ShadowList.Entry entry = walk.next();
        if (entry == null) {
          throw new IllegalStateException(key + " has fewer elements than it counts");
        }
        digests[i] = digest(entry.content());
      }
    }
    return digests;
  }

  /** 64 bits of SHA-1; what is taken for equal by them is compared in full before it counts. */
  private static long digest(Content content) {
    byte[] sha1 = content.sha1().array();
    long digest = 0;
    for (int i = 0; i < 8; i++) {
      digest = digest << 8 | (sha1[i] & 0xff);
    }
    return digest;
  }

  // ---- steps ----

  private boolean compareWindows() {
    boolean more = knownLeft > WINDOW || actualLeft > WINDOW;
    long[] before = digests(known, knownAt, knownLeft, WINDOW);
    long[] after = digests(actual, actualAt, actualLeft, WINDOW);
    CommonElements common = CommonElements.of(before, after, more, EDITS_MAX);
    int x = 0;
    int y = 0;
    while (x < common.before() || y < common.after()) {
      int removed = 0;
      while (x < common.before() && !common.keepsBefore(x)) {
        removed++;
        x++;
      }
      int inserted = 0;
      while (y < common.after() && !common.keepsAfter(y)) {
        inserted++;
        y++;
      }
      int equal = 0;
      while (x < common.before()
          && common.keepsBefore(x)
          && y < common.after()
          && common.keepsAfter(y)) {
        equal++;
        x++;
        y++;
      }
      if (!replace(removed, inserted) || !keep(equal)) {
        return false;
      }
    }
    return true;
  }

  /** The next elements of both are the same ones; values that differ after all are written. */
  private boolean keep(int count) {
    List<Change.ListPut> different = new ArrayList<>(0);
    try (ShadowList.Walk left = ahead(known, knownAt);
        ShadowList.Walk right = ahead(actual, actualAt)) {
      for (int i = 0; i < count; i++) {
        ShadowList.Entry one = left.next();
        ShadowList.Entry other = right.next();
        if (one == null || other == null) {
          throw new IllegalStateException(known + " has fewer elements than it counts");
        }
        Bytes value = other.content().value();
        if (value != null && !one.content().equals(other.content())) {
          different.add(new Change.ListPut(one.position(), value));
        }
        passKnown(one);
        passActual(other);
      }
    }
    return different.stream().allMatch(output::change);
  }

  /** Removes the next elements of the shadow and puts in the next of the snapshot. */
  private boolean replace(long removed, long inserted) {
    try (ShadowList.Walk walk = ahead(known, knownAt)) {
      for (long i = 0; i < removed; i++) {
        ShadowList.Entry entry = walk.next();
        if (entry == null || !output.change(new Change.ListRemove(entry.position()))) {
          return false;
        }
        knownLeft--;
      }
    }
    if (inserted == 0) {
      return true;
    }
    Bytes right = nextPlace();
    try (ShadowList.Walk walk = ahead(actual, actualAt)) {
      for (long i = 0; i < inserted; i++) {
        ShadowList.Entry entry = walk.next();
        Bytes value = entry == null ? null : entry.content().value();
        if (entry == null || value == null) {
          output.tooLong();
          return false;
        }
        Bytes position = output.position(knownAt, right);
        if (ShadowList.isTooDeep(knownAt, right, position)) {
          output.tooLong();
          return false;
        }
        if (!output.change(new Change.ListPut(position, value))) {
          return false;
        }
        knownAt = position;
        passActual(entry);
      }
    }
    return true;
  }

  private @Nullable Bytes nextPlace() {
    if (knownLeft == 0) {
      return knownEnd;
    }
    try (ShadowList.Walk walk = ahead(known, knownAt)) {
      ShadowList.Entry next = walk.next();
      return next == null ? null : next.place();
    }
  }
}
