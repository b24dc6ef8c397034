package io.crosstide.crdt;

import java.util.Comparator;

/**
 * Identity of one event: its origin and its place in that origin's log of one partition.
 *
 * @param seq counts per (origin, partition) from 1 without gaps, never reused
 */
public record Dot(Origin origin, long seq) implements Comparable<Dot> {
  private static final Comparator<Dot> ORDER =
      Comparator.comparing(Dot::origin).thenComparingLong(Dot::seq);

  public Dot {
    if (seq < 1) {
      throw new IllegalArgumentException("seq " + seq + " of " + origin + " is below 1");
    }
  }

  @Override
  public int compareTo(Dot other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return origin + ":" + seq;
  }
}
