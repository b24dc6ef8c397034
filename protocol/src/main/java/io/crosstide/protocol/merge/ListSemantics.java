package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.ListPlace;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where in Redis's list an effect finds its element: the Java twin of what the Lua function does
 * with a {@link ListPlace}. A simulated Redis goes by it, and a differential test holds the Lua
 * function against it.
 *
 * <p>Candidates are gaps for an insertion, elements with the expected content for all else. Each
 * has a grade: 3 if all neighbours that the place names are there, 2 or 1 if those of one side are;
 * for gaps 2 is the side on which nothing unseen can have come between. The best within reach wins,
 * among equals the nearest to the hint. That the list ends where the place knows no neighbour is
 * not asked for: what clients have added meanwhile is no reason to miss.
 */
public final class ListSemantics {
  /** What an effect does to a list that has its element. */
  public enum Action {
    NOTHING,
    INSERT,
    REMOVE,
    SET
  }

  /**
   * @param index from the head: the element's, or that of the gap, where it will be
   */
  public record Step(Action action, int index) {}

  /** How far from the hint is looked, by effort; with the last one the whole list is. */
  private static final int[] REACH = {8, 64, 512};

  /** The least grade of a gap that is taken, and of an element, by effort. */
  private static final int[] GAP_LEAST = {2, 2, 1, 1};

  private static final int[] ELEMENT_LEAST = {3, 3, 2, 1};

  private final List<Bytes> list;
  private final ListPlace place;

  private ListSemantics(List<Bytes> list, ListPlace place) {
    this.list = list;
    this.place = place;
  }

  /**
   * What {@code effect} on an element of a list does, exceptions aside; null if it misses.
   *
   * @param list what the key holds, empty if there is no key
   */
  public static @Nullable Step find(List<Bytes> list, Effect effect) {
    if (effect instanceof Effect.Put put) {
      if (!put.expected().isAbsent()) {
        Action action = put.desired().isAbsent() ? Action.REMOVE : Action.SET;
        return element(list, put.place(), put.expected(), action);
      }
      return put.desired().isAbsent() ? new Step(Action.NOTHING, 0) : gap(list, put.place());
    }
    if (effect instanceof Effect.Check check) {
      return check.expected().isAbsent()
          ? new Step(Action.NOTHING, 0)
          : element(list, check.place(), check.expected(), Action.NOTHING);
    }
    return null;
  }

  private static ListPlace required(@Nullable ListPlace place) {
    if (place == null) {
      throw new IllegalArgumentException("an effect on a list's element says where that is");
    }
    return place;
  }

  private static @Nullable Step element(
      List<Bytes> list, @Nullable ListPlace place, Content expected, Action action) {
    ListSemantics search = new ListSemantics(list, required(place));
    int found = search.nearest(expected, ELEMENT_LEAST[search.place.effort()]);
    return found < 0 ? null : new Step(action, found);
  }

  private static @Nullable Step gap(List<Bytes> list, @Nullable ListPlace place) {
    ListSemantics search = new ListSemantics(list, required(place));
    int found = search.gap();
    return found < 0 ? null : new Step(Action.INSERT, found);
  }

  private int gap() {
    int size = list.size();
    boolean right = place.leansRight();
    if (size == 0 || (!right && place.before().isEmpty() && place.hint() == 0)) {
      return 0;
    }
    if (right && place.after().isEmpty() && place.hint() == -1) {
      return size;
    }
    int found = nearest(null, GAP_LEAST[place.effort()]);
    if (found >= 0) {
      return found;
    }
    List<Content> side = right ? place.after() : place.before();
    if (isAllInReach() && !side.isEmpty() && side.stream().noneMatch(this::holds)) {
      return right ? size : 0; // those beside it have been taken off this end
    }
    int hint = hinted(true);
    return place.effort() < ListPlace.EFFORT_MAX ? -1 : hint < 0 ? size : hint;
  }

  private boolean holds(Content content) {
    for (int i = 0; i < list.size(); i++) {
      if (isAt(i, content)) {
        return true;
      }
    }
    return false;
  }

  private boolean isAt(int index, Content content) {
    return index >= 0 && index < list.size() && Content.of(list.get(index)).equals(content);
  }

  /** The hint as an index that there is, or -1. */
  private int hinted(boolean gap) {
    int hint = place.hint();
    if (hint == ListPlace.NO_HINT) {
      return -1;
    }
    int last = gap ? list.size() : list.size() - 1;
    return Math.max(0, Math.min(last, hint < 0 ? last + 1 + hint : hint));
  }

  private int reach() {
    boolean everywhere =
        place.effort() == ListPlace.EFFORT_MAX || place.hint() == ListPlace.NO_HINT;
    return everywhere ? Integer.MAX_VALUE : REACH[place.effort()];
  }

  private boolean isAllInReach() {
    long reach = reach();
    int hint = hinted(true);
    return hint - reach <= 0 && hint + reach >= list.size();
  }

  /** The best candidate within reach, or -1. */
  private int nearest(@Nullable Content expected, int least) {
    int hint = hinted(expected == null);
    int last = expected == null ? list.size() : list.size() - 1;
    long reach = reach();
    int best = -1;
    int bestGrade = least - 1;
    long bestDistance = Long.MAX_VALUE;
    for (int i = (int) Math.max(0, hint - reach); i <= Math.min(last, hint + reach); i++) {
      if (expected != null && !isAt(i, expected)) {
        continue;
      }
      int grade = grade(i, expected == null);
      long distance = hint < 0 ? i : Math.abs((long) i - hint);
      if (grade > bestGrade || (grade == bestGrade && best >= 0 && distance < bestDistance)) {
        best = i;
        bestGrade = grade;
        bestDistance = distance;
      }
    }
    return best;
  }

  private int grade(int index, boolean gap) {
    boolean left = true;
    for (int i = 0; i < place.before().size(); i++) {
      left &= isAt(index - 1 - i, place.before().get(i));
    }
    boolean right = true;
    for (int i = 0; i < place.after().size(); i++) {
      right &= isAt(index + (gap ? 0 : 1) + i, place.after().get(i));
    }
    if (left && right) {
      return 3;
    }
    left &= !place.before().isEmpty();
    right &= !place.after().isEmpty();
    if (!gap) {
      return left || right ? 2 : 1;
    }
    return (place.leansRight() ? right : left) ? 2 : left || right ? 1 : 0;
  }
}
