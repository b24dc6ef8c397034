package io.crosstide.capture.rdb;

import java.util.ArrayList;
import java.util.List;

/**
 * What two sequences have in common, by the fewest removals and insertions that lead from one to
 * the other, as far as a bound on these allows (E. Myers, "An O(ND) difference algorithm and its
 * variations", 1986, section 2).
 *
 * <p>Memory grows with the square of the bound, time with bound and lengths. A diagonal is how many
 * more elements were gone through of the first sequence than of the second.
 */
final class CommonElements {
  private static final int UNREACHABLE = -1;

  private final boolean[] keptBefore;
  private final boolean[] keptAfter;
  private final int before;
  private final int after;

  private CommonElements(int before, int after) {
    this.before = before;
    this.after = after;
    this.keptBefore = new boolean[before];
    this.keptAfter = new boolean[after];
  }

  /** How many of the first sequence's elements this tells of, from its beginning. */
  int before() {
    return before;
  }

  /** How many of the second's; of both together one at least, if there are any. */
  int after() {
    return after;
  }

  /** Whether this element of the first sequence stays. */
  boolean keepsBefore(int index) {
    return keptBefore[index];
  }

  /** Whether this element of the second sequence is the next that stayed of the first. */
  boolean keepsAfter(int index) {
    return keptAfter[index];
  }

  /**
   * Compares two sequences from their beginnings.
   *
   * @param goesOn more follows of both: it tells of as much as is needed to reach either's end
   * @param editsMax removals and insertions after which it gives up and tells of as much as it got,
   *     at least 1
   */
  static CommonElements of(long[] a, long[] b, boolean goesOn, int editsMax) {
    List<int[]> reached = new ArrayList<>();
    for (int edits = 0; ; edits++) {
      int[] furthest = new int[2 * edits + 1];
      int end = Integer.MIN_VALUE;
      int best = Integer.MIN_VALUE;
      int bestSum = -1;
      for (int diagonal = -edits; diagonal <= edits; diagonal += 2) {
        int x = edits == 0 ? 0 : start(reached.get(edits - 1), diagonal, a.length, b.length);
        while (x != UNREACHABLE
            && x < a.length
            && x - diagonal < b.length
            && a[x] == b[x - diagonal]) {
          x++;
        }
        furthest[diagonal + edits] = x;
        int y = x - diagonal;
        if (x != UNREACHABLE && x + y > bestSum) {
          best = diagonal;
          bestSum = x + y;
        }
        boolean endOfA = x == a.length;
        boolean endOfB = x != UNREACHABLE && y == b.length;
        if (goesOn ? endOfA || endOfB : endOfA && endOfB) {
          end = diagonal;
        }
      }
      reached.add(furthest);
      if (end != Integer.MIN_VALUE || edits == editsMax) {
        return trace(reached, end != Integer.MIN_VALUE ? end : best, a.length, b.length);
      }
    }
  }

  /** The furthest place on a diagonal that one more edit reaches. */
  private static int start(int[] before, int diagonal, int lengthA, int lengthB) {
    return Math.max(
        removing(before, diagonal, lengthA, lengthB), inserting(before, diagonal, lengthB));
  }

  private static int removing(int[] before, int diagonal, int lengthA, int lengthB) {
    int x = at(before, diagonal - 1);
    return x == UNREACHABLE || x + 1 > lengthA || x + 1 - diagonal > lengthB ? UNREACHABLE : x + 1;
  }

  private static int inserting(int[] before, int diagonal, int lengthB) {
    int x = at(before, diagonal + 1);
    return x == UNREACHABLE || x - diagonal > lengthB ? UNREACHABLE : x;
  }

  private static int at(int[] reached, int diagonal) {
    int edits = reached.length / 2;
    return Math.abs(diagonal) > edits ? UNREACHABLE : reached[diagonal + edits];
  }

  private static CommonElements trace(
      List<int[]> reached, int endDiagonal, int lengthA, int lengthB) {
    int diagonal = endDiagonal;
    int x = at(reached.get(reached.size() - 1), diagonal);
    CommonElements common = new CommonElements(x, x - diagonal);
    for (int edits = reached.size() - 1; edits >= 0; edits--) {
      int[] before = edits == 0 ? null : reached.get(edits - 1);
      int start = before == null ? 0 : start(before, diagonal, lengthA, lengthB);
      for (x--; x >= start; x--) {
        common.keptBefore[x] = true;
        common.keptAfter[x - diagonal] = true;
      }
      if (before != null) {
        boolean removed = removing(before, diagonal, lengthA, lengthB) == start;
        diagonal += removed ? -1 : 1;
        x = at(before, diagonal);
      }
    }
    return common;
  }
}
