package io.crosstide.capture.rdb;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Integers as Redis stores them: what INCRBY accepts and writes. */
final class Integers {
  private static final int DIGITS_MAX = 20;

  /** Above this not every integer is a double. */
  private static final double EXACT_MAX = 1L << 53;

  private Integers() {}

  /** The number, or null if these bytes are not a 64-bit integer in its canonical form. */
  static @Nullable Long parse(Bytes text) {
    if (text.isEmpty() || text.length() > DIGITS_MAX) {
      return null;
    }
    String digits = new String(text.array(), StandardCharsets.ISO_8859_1);
    long number;
    try {
      number = Long.parseLong(digits);
    } catch (NumberFormatException e) {
      return null;
    }
    return Long.toString(number).equals(digits) ? number : null;
  }

  /** The increment that leads from one integer to the other; null if either is none. */
  static @Nullable BigDecimal difference(@Nullable Content from, Content to) {
    Bytes before = from == null ? null : from.value();
    Bytes after = to.value();
    if (before == null || after == null) {
      return null;
    }
    Long a = parse(before);
    Long b = parse(after);
    return a == null || b == null ? null : BigDecimal.valueOf(b).subtract(BigDecimal.valueOf(a));
  }

  /** Whether an increment of a score is exact in doubles. */
  static boolean isExact(double score) {
    return score == Math.rint(score) && Math.abs(score) < EXACT_MAX;
  }
}
