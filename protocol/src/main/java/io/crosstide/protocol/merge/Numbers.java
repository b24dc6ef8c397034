package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic on values as Redis holds them: decimal text in strings and hash fields, doubles in
 * scores. Sums are exact, hence the same in every region whatever the order (scores are rounded
 * once, at the end).
 */
public final class Numbers {
  /** Longer texts are not treated as numbers: Redis itself reads at most 256 bytes. */
  private static final int LENGTH_MAX = 256;

  /**
   * Decimal exponents beyond this would print as thousands of digits; such values are texts here.
   */
  private static final int EXPONENT_MAX = 400;

  private Numbers() {}

  /** The number that {@code text} stands for, or null if it is none that can be added to. */
  static @Nullable BigDecimal parse(ElementKind kind, Bytes text) {
    if (text.isEmpty() || text.length() > LENGTH_MAX) {
      return null;
    }
    String digits = new String(text.array(), StandardCharsets.ISO_8859_1);
    try {
      if (kind == ElementKind.ZSET_MEMBER) {
        double score = Content.parseScore(digits);
        return Double.isFinite(score) ? new BigDecimal(score) : null;
      }
      return parseDecimal(digits);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** A decimal number in the form {@code [-]digits[.digits][e[+-]digits]}, or null. */
  public static @Nullable BigDecimal parseDecimal(String digits) {
    if (digits.isEmpty() || digits.length() > LENGTH_MAX) {
      return null;
    }
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      boolean allowed =
          (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
      if (!allowed) {
        return null;
      }
    }
    try {
      BigDecimal value = new BigDecimal(digits);
      return Math.abs((long) value.precision() - value.scale()) > EXPONENT_MAX
              || Math.abs((long) value.scale()) > EXPONENT_MAX
          ? null
          : value;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** The text Redis would hold for {@code value}: no exponent, no trailing zeros. */
  static Bytes format(ElementKind kind, BigDecimal value) {
    if (kind == ElementKind.ZSET_MEMBER) {
      return Bytes.utf8(Content.formatScore(value.doubleValue()));
    }
    return Bytes.utf8(plain(value));
  }

  /** {@code value} without exponent or trailing zeros. */
  public static String plain(BigDecimal value) {
    if (value.signum() == 0) {
      return "0";
    }
    return value.scale() <= 0 ? value.toPlainString() : value.stripTrailingZeros().toPlainString();
  }

  /** The integer that {@code content} is in Redis's strict form (absent counts as 0), or null. */
  static @Nullable Long strictInteger(ElementKind kind, Content content) {
    if (content.isAbsent()) {
      return 0L;
    }
    Bytes value = content.value();
    if (value == null || value.isEmpty() || value.length() > 20) {
      return null;
    }
    byte[] digits = value.array();
    boolean negative = digits[0] == '-';
    int at = negative ? 1 : 0;
    if (at == digits.length || (digits[at] == '0' && digits.length > 1)) {
      return null; // no digit, or one that Redis would not write
    }
    long number = 0; // negative, for there is one negative number more
    for (; at < digits.length; at++) {
      int digit = digits[at] - '0';
      if (digit < 0 || digit > 9 || number < Long.MIN_VALUE / 10) {
        return null;
      }
      number = number * 10 - digit;
      if (number > 0) {
        return null;
      }
    }
    if (!negative) {
      if (number == Long.MIN_VALUE) {
        return null;
      }
      number = -number;
    }
    return kind == ElementKind.ZSET_MEMBER && Math.abs(number) >= EXACT_DOUBLE
        ? null
        : (Long) number;
  }

  /** Integers below this magnitude are exact as doubles (P22). */
  static final long EXACT_DOUBLE = 1L << 53;
}
