package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.ListPlace;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/**
 * Says where effects on lists find their elements: walks a list as Redis is believed to hold it
 * once all that is planned has been done, which is the rows in the order of their positions, but
 * for those elements of which belief knows better.
 *
 * <p>A walk is bounded: an element's place costs the same however long the list is, and far from
 * both ends it has no hint.
 */
final class ListPlaces {
  /** Rows and tracked elements that a walk goes over in the first place. */
  private static final int NEAR = 6;

  /** And if it has met no end there, in either direction. */
  private static final int FAR = 160;

  private static final int NEIGHBOURS = 2;

  /** Local writes that are not known yet are numbered upwards from those that are. */
  private static final long WRITE_TO_COME = 1L << 62;

  private final RowStore rows;
  private final Belief belief;
  private final KeyMerger keys;
  private final Origin local;

  /** The last element asked for while an event goes through a list, and what is before it. */
  private @Nullable Element passed;

  private @Nullable Walk beforePassed;
  private boolean passing;
  private boolean emptied;

  ListPlaces(RowStore rows, Belief belief, KeyMerger keys, Origin local) {
    this.rows = rows;
    this.belief = belief;
    this.keys = keys;
    this.local = local;
  }

  /**
   * An event is merged, which visits a list's elements from the head.
   *
   * @param emptiesRedis it has left nothing of its key in Redis: local, and about the whole key
   */
  void passBegins(boolean emptiesRedis) {
    passing = true;
    emptied = emptiesRedis;
    passed = null;
  }

  void passEnds() {
    passing = false;
    emptied = false;
    passed = null;
  }

  /**
   * {@code insertion} of an element that was elsewhere, where it belongs: it is missing meanwhile,
   * and must not miss.
   *
   * @param number of the effect before. Every other time or so it goes by its index alone: where
   *     several elements are out of order, neighbours may be, too, and capture cannot know which of
   *     two is the one that is
   */
  Effect.Put moved(Tracked tracked, Effect.Put insertion, long number) {
    ListPlace place = place(tracked, true, ListPlace.EFFORT_MAX);
    if (place.hint() != ListPlace.NO_HINT && Long.bitCount(number) % 2 == 0) {
      place = new ListPlace(List.of(), List.of(), place.hint(), true, place.effort());
    }
    return new Effect.Put(
        insertion.element(), insertion.expected(), insertion.desired(), insertion.knows(), place);
  }

  /** {@code effect} with the place that {@code tracked} has by what is believed so far. */
  Effect placed(Tracked tracked, Effect effect) {
    if (effect instanceof Effect.Put put && put.place() == null) {
      boolean inserts = put.expected().isAbsent();
      ListPlace place = inserts && put.desired().isAbsent() ? null : place(tracked, inserts);
      return new Effect.Put(put.element(), put.expected(), put.desired(), put.knows(), place);
    }
    if (effect instanceof Effect.Check check && check.place() == null) {
      ListPlace place = check.expected().isAbsent() ? null : place(tracked, false);
      return new Effect.Check(check.element(), check.expected(), check.knows(), place);
    }
    return effect;
  }

  private ListPlace place(Tracked tracked, boolean inserts) {
    return place(tracked, inserts, Math.min(tracked.missesInRow, ListPlace.EFFORT_MAX));
  }

  private ListPlace place(Tracked tracked, boolean inserts, int effort) {
    if (!inserts && tracked.misplaced >= 0) {
      return new ListPlace(List.of(), List.of(), tracked.misplaced, true, effort);
    }
    Element element = tracked.element;
    Shown shown = shown(element.key());
    Walk after = walk(element, shown, true, NEAR);
    Walk before = walk(element, shown, false, NEAR);
    if (!after.toTheEnd && !before.toTheEnd) {
      after = walk(element, shown, true, FAR);
      if (!after.toTheEnd) {
        before = walk(element, shown, false, FAR);
      }
    }
    if (passing) {
      passed = element;
      beforePassed = before;
    }
    boolean leansRight = leansRight(element.name(), before, after);
    return new ListPlace(
        contents(before),
        contents(after),
        hint(before, after, inserts, leansRight),
        leansRight,
        effort);
  }

  private static List<Content> contents(Walk walk) {
    return walk.nearest.stream().map(Neighbour::content).map(ListPlace::neighbour).toList();
  }

  private static int hint(Walk before, Walk after, boolean inserts, boolean leansRight) {
    if (inserts && before.isAtEnd() && !leansRight) {
      return 0;
    }
    boolean tail = after.toTheEnd && (!before.toTheEnd || after.count <= before.count);
    if (tail || (inserts && after.isAtEnd() && leansRight)) {
      return -1 - after.count;
    }
    return before.toTheEnd ? before.count : ListPlace.NO_HINT;
  }

  /**
   * Whether what a client puts here now, unseen, gets a position below this one: capture gives it
   * one between those that it finds in Redis.
   */
  private boolean leansRight(Bytes position, Walk before, Walk after) {
    Bytes left = before.nearest.isEmpty() ? null : before.nearest.get(0).name();
    Bytes right = after.nearest.isEmpty() ? null : after.nearest.get(0).name();
    ListPosition.Side side =
        left == null && right != null
            ? ListPosition.Side.BEFORE_RIGHT
            : ListPosition.Side.AFTER_LEFT;
    return ListPosition.between(left, right, local, WRITE_TO_COME, side).compareTo(position) < 0;
  }

  // --- walks

  private record Neighbour(Bytes name, Content content) {}

  /** What rows of elements that are not tracked say of Redis. */
  private record Shown(boolean isList, List<KeyState.Expiry> hiding) {}

  /** What was met in one direction. */
  private static final class Walk {
    final List<Neighbour> nearest = new ArrayList<>(NEIGHBOURS);

    /** Elements that Redis holds, as far as the walk went. */
    int count;

    boolean toTheEnd = true;

    boolean isAtEnd() {
      return toTheEnd && count == 0;
    }

    void meet(Bytes name, Content content) {
      if (content.isAbsent()) {
        return;
      }
      if (nearest.size() < NEIGHBOURS) {
        nearest.add(new Neighbour(name, content));
      }
      count++;
    }

    /** Goes on as another one went on. */
    void join(Walk further) {
      for (Neighbour each : further.nearest) {
        if (nearest.size() < NEIGHBOURS) {
          nearest.add(each);
        }
      }
      count += further.count;
      toTheEnd = further.toTheEnd;
    }
  }

  private Shown shown(RedisKey key) {
    if (emptied) {
      return new Shown(false, List.of());
    }
    KeyMerger.Shown shown = keys.shownBefore(key);
    return new Shown(shown.kind() == ElementKind.LIST_ELEMENT, shown.hiding());
  }

  private Walk walk(Element from, Shown shown, boolean forward, int max) {
    Walk walk = new Walk();
    List<Map.Entry<Bytes, Cell>> cells = shown.isList() ? cells(from, forward, max) : List.of();
    NavigableMap<Bytes, Tracked> known = belief.list(from.key());
    NavigableMap<Bytes, Tracked> beside =
        forward
            ? known.tailMap(from.name(), false)
            : known.headMap(from.name(), false).descendingMap();
    int at = 0;
    int steps = 0;
    Walk resumed = resumes(from, forward);
    for (Tracked tracked : beside.values()) {
      Bytes name = tracked.element.name();
      while (at < cells.size() && isBefore(cells.get(at).getKey(), name, forward)) {
        meet(walk, from, cells.get(at++), shown);
      }
      if (at < cells.size() && cells.get(at).getKey().equals(name)) {
        at++;
      } else if (at == cells.size() && at == max) {
        walk.toTheEnd = false; // rows beyond these have not been read
        return walk;
      }
      if (tracked.known) {
        walk.meet(name, tracked.believed().content());
      }
      if (resumed != null && tracked.element.equals(passed)) {
        walk.join(resumed);
        return walk;
      }
      if (++steps == max) {
        walk.toTheEnd = false;
        return walk;
      }
    }
    while (at < cells.size()) {
      meet(walk, from, cells.get(at++), shown);
    }
    walk.toTheEnd = cells.size() < max;
    return walk;
  }

  /** What is before the element that was asked for last, if an event goes through the list. */
  private @Nullable Walk resumes(Element from, boolean forward) {
    Element last = passed;
    return !forward
            && last != null
            && last.key().equals(from.key())
            && last.name().compareTo(from.name()) < 0
        ? beforePassed
        : null;
  }

  private static boolean isBefore(Bytes one, Bytes other, boolean forward) {
    int order = one.compareTo(other);
    return forward ? order < 0 : order > 0;
  }

  private void meet(Walk walk, Element from, Map.Entry<Bytes, Cell> row, Shown shown) {
    Element element = new Element(from.key(), ElementKind.LIST_ELEMENT, row.getKey());
    Cell visible = keys.view().without(element, row.getValue(), shown.hiding());
    walk.meet(row.getKey(), Visible.of(ElementKind.LIST_ELEMENT, visible));
  }

  /** The next rows of elements in one direction. */
  private List<Map.Entry<Bytes, Cell>> cells(Element from, boolean forward, int max) {
    List<Map.Entry<Bytes, Cell>> cells = new ArrayList<>();
    byte[] row = RowKeys.element(from);
    byte[] prefix = RowKeys.elements(from.key(), ElementKind.LIST_ELEMENT);
    RowStore.Visitor visitor =
        (key, value) -> {
          Bytes name = RowKeys.parseElement(key).name();
          cells.add(Map.entry(name, Cell.decode(new ByteReader(value))));
          return cells.size() < max;
        };
    if (forward) {
      rows.scan(prefix, row, visitor);
    } else {
      rows.scanBack(prefix, row, visitor);
    }
    return cells;
  }
}
