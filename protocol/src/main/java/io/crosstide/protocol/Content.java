package io.crosstide.protocol;

import io.crosstide.crdt.Bytes;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What a Redis holds for one element: nothing, a value, or a value of which only the SHA-1 is
 * known. Values and digests of the same bytes are equal, so that long values need not be kept to be
 * compared.
 *
 * <p>Set members hold the empty value. Scores are kept in the form of {@link #score(double)},
 * deadlines as decimal milliseconds.
 */
public final class Content {
  public static final Content ABSENT = new Content(null, null);
  public static final Content PRESENT = new Content(Bytes.EMPTY, null);

  /** Integers below this magnitude are exact as doubles: 2^53. */
  public static final double EXACT_INTEGERS = 9007199254740992.0;

  /** Values longer than this are compared by digest and forgotten once written. Bytes. */
  public static final int INLINE_MAX = 64;

  private final @Nullable Bytes value;
  private @Nullable Bytes sha1;

  private Content(@Nullable Bytes value, @Nullable Bytes sha1) {
    this.value = value;
    this.sha1 = sha1;
  }

  public static Content of(Bytes value) {
    return value.isEmpty() ? PRESENT : new Content(value, null);
  }

  public static Content utf8(String value) {
    return of(Bytes.utf8(value));
  }

  public static Content deadline(long millis) {
    return utf8(Long.toString(millis));
  }

  public static Content score(double score) {
    return utf8(formatScore(score));
  }

  public static Content digest(Bytes sha1) {
    if (sha1.length() != 20) {
      throw new IllegalArgumentException("a SHA-1 has 20 bytes, not " + sha1.length());
    }
    return new Content(null, sha1);
  }

  public boolean isAbsent() {
    return value == null && sha1 == null;
  }

  /** The value, or null if absent or known by digest only. */
  public @Nullable Bytes value() {
    return value;
  }

  public boolean isDigestOnly() {
    return value == null && sha1 != null;
  }

  /** SHA-1 of the value; must not be absent. */
  public Bytes sha1() {
    Bytes known = sha1;
    if (known == null) {
      if (value == null) {
        throw new IllegalStateException("an absent element has no digest");
      }
      known = Bytes.wrap(Element.sha1().digest(value.array()));
      sha1 = known;
    }
    return known;
  }

  public String sha1Hex() {
    return HexFormat.of().formatHex(sha1().array());
  }

  /**
   * This content with long values reduced to their digest: enough to compare, small enough to keep.
   */
  public Content compact() {
    return value == null || value.length() <= INLINE_MAX ? this : digest(sha1());
  }

  /**
   * The canonical text of a score: the shortest that Java reads back to the same double; {@code
   * inf} and {@code -inf}.
   */
  public static String formatScore(double score) {
    if (Double.isInfinite(score)) {
      return score > 0 ? "inf" : "-inf";
    }
    if (score == Math.rint(score) && Math.abs(score) < EXACT_INTEGERS) {
      return Long.toString((long) score);
    }
    return Double.toString(score);
  }

  public static double parseScore(String text) {
    return switch (text) {
      case "inf", "+inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Content that)) {
      return false;
    }
    if (isAbsent() || that.isAbsent()) {
      return isAbsent() && that.isAbsent();
    }
    if (value != null && that.value != null) {
      return value.equals(that.value);
    }
    return sha1().equals(that.sha1());
  }

  @Override
  public int hashCode() {
    return isAbsent() ? 0 : sha1().hashCode();
  }

  @Override
  public String toString() {
    if (isAbsent()) {
      return "absent";
    }
    return value != null ? "'" + value + "'" : "#" + sha1Hex().substring(0, 8);
  }
}
