package io.crosstide.protocol;

/**
 * The number of an effect: the owner's fencing epoch, then a count within it. Compared in that
 * order, so that numbers are never reused (P3).
 *
 * @param number from 1 within an epoch; 0 only in {@link #NONE} and for an epoch that has sent
 *     nothing
 */
public record Fx(int epoch, long number) implements Comparable<Fx> {
  public static final Fx NONE = new Fx(0, 0);

  public boolean isNone() {
    return equals(NONE);
  }

  public boolean atMost(Fx other) {
    return compareTo(other) <= 0;
  }

  public static Fx max(Fx a, Fx b) {
    return a.compareTo(b) >= 0 ? a : b;
  }

  @Override
  public int compareTo(Fx other) {
    return epoch != other.epoch
        ? Integer.compare(epoch, other.epoch)
        : Long.compare(number, other.number);
  }

  /** {@code epoch:number}, as in markers. */
  @Override
  public String toString() {
    return epoch + ":" + number;
  }

  /** Inverse of {@link #toString()}. */
  public static Fx parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException(
          "'" + text + "' is not an effect number: expected epoch:number");
    }
    return new Fx(
        Integer.parseInt(text.substring(0, colon)), Long.parseLong(text.substring(colon + 1)));
  }
}
