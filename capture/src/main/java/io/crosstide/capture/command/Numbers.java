package io.crosstide.capture.command;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Numbers as Redis reads and writes them. */
final class Numbers {
  /** Beyond this a decimal exponent is no counter of anybody's, only a way to exhaust memory. */
  private static final int EXPONENT_MAX = 400;

  private static final int LONG_DIGITS_MAX = 20;

  private Numbers() {}

  /** A 64-bit integer in Redis's only form of it: no plus, no leading zero, no space. */
  static OptionalLong integer(byte[] text) {
    if (text.length == 0 || text.length > LONG_DIGITS_MAX) {
      return OptionalLong.empty();
    }
    boolean negative = text[0] == '-';
    int at = negative ? 1 : 0;
    if (at == text.length
        || (text[at] == '0' && text.length > 1)
        || text[at] < '0'
        || text[at] > '9') {
      return OptionalLong.empty();
    }
    long value = 0;
    for (; at < text.length; at++) {
      int digit = text[at] - '0';
      if (digit < 0 || digit > 9) {
        return OptionalLong.empty();
      }
      // Counted downwards, because the smallest long has no positive counterpart.
      if (value < (Long.MIN_VALUE + digit) / 10) {
        return OptionalLong.empty();
      }
      value = value * 10 - digit;
    }
    if (negative) {
      return OptionalLong.of(value);
    }
    return value == Long.MIN_VALUE ? OptionalLong.empty() : OptionalLong.of(-value);
  }

  /** An argument that the stream guarantees to be an integer. */
  static long requireInteger(byte[] text) {
    return Long.parseLong(ascii(text));
  }

  /** The integer that {@code content} is, if it is one and known. */
  static OptionalLong integer(@Nullable Content content) {
    Bytes value = content == null ? null : content.value();
    return value == null ? OptionalLong.empty() : integer(value.array());
  }

  /** The exact number that a value is which {@code INCRBYFLOAT} would accept; null if none. */
  static @Nullable BigDecimal decimal(byte[] text) {
    if (text.length == 0 || text.length > 64) {
      return null;
    }
    for (byte b : text) {
      boolean ofNumber =
          (b >= '0' && b <= '9') || b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E';
      if (!ofNumber) {
        return null;
      }
    }
    try {
      BigDecimal value = new BigDecimal(ascii(text));
      return Math.abs((long) value.scale()) <= EXPONENT_MAX ? value : null;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /**
   * Whether {@code text} is a number in the form that Redis gives to results of {@code
   * INCRBYFLOAT}: no exponent, no leading or trailing zeros, at most 17 decimals.
   */
  static boolean isRedisFloat(byte[] text) {
    int at = text.length > 0 && text[0] == '-' ? 1 : 0;
    int digits = 0;
    int start = at;
    while (at < text.length && text[at] >= '0' && text[at] <= '9') {
      at++;
      digits++;
    }
    if (digits == 0 || (digits > 1 && text[start] == '0')) {
      return false;
    }
    if (at == text.length) {
      return true;
    }
    if (text[at] != '.') {
      return false;
    }
    int decimals = 0;
    for (at++; at < text.length; at++) {
      if (text[at] < '0' || text[at] > '9') {
        return false;
      }
      decimals++;
    }
    return decimals > 0 && decimals <= 17 && text[text.length - 1] != '0';
  }

  /** A score as C's strtod reads it; the stream guarantees that it is one. */
  static double score(byte[] text) {
    String number = ascii(text).toLowerCase(Locale.ROOT);
    String unsigned =
        number.startsWith("+") || number.startsWith("-") ? number.substring(1) : number;
    if (unsigned.equals("inf") || unsigned.equals("infinity")) {
      return number.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }
    if (unsigned.startsWith("0x") && unsigned.indexOf('p') < 0) {
      return Double.parseDouble(number + "p0");
    }
    return Double.parseDouble(number);
  }

  static byte[] text(long value) {
    return Long.toString(value).getBytes(StandardCharsets.US_ASCII);
  }

  static String ascii(byte[] bytes) {
    return new String(bytes, StandardCharsets.US_ASCII);
  }
}
