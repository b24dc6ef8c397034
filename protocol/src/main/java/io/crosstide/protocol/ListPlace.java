package io.crosstide.protocol;

import io.crosstide.crdt.Bytes;
import java.util.List;

/**
 * Where an effect finds its element of a list. Redis's elements have no names, so the element is
 * told by its content and by those around it, as Redis is believed to hold them when the effect's
 * turn comes.
 *
 * @param before up to two elements before it, the nearest first; fewer where the head is near
 * @param after up to two elements after it, the nearest first; fewer where the tail is near
 * @param hint its index, that of an insertion as it will be afterwards: from the head, or if
 *     negative from the tail; {@link #NO_HINT} if it is far from both
 * @param leansRight whether elements that a client has put beside it unseen belong before it
 * @param effort how far is searched, and how much must be as believed: 0 to {@link #EFFORT_MAX},
 *     one more for each miss in a row
 */
public record ListPlace(
    List<Content> before, List<Content> after, int hint, boolean leansRight, int effort) {
  public static final int NO_HINT = Integer.MIN_VALUE;
  public static final int EFFORT_MAX = 3;

  /** Longer values of neighbours are compared by SHA-1. Bytes. */
  public static final int NEIGHBOUR_BYTES_MAX = 20;

  public ListPlace {
    before = List.copyOf(before);
    after = List.copyOf(after);
  }

  /** {@code content} as it is kept of a neighbour. */
  public static Content neighbour(Content content) {
    Bytes value = content.value();
    return value == null || value.length() <= NEIGHBOUR_BYTES_MAX
        ? content
        : Content.digest(content.sha1());
  }
}
