package io.crosstide.control.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations, sizes and rates as people write them: {@code 40ms}, {@code 64MiB}, {@code 10MB/s}. */
public final class Units {
  private static final Pattern QUANTITY =
      Pattern.compile("\\s*([0-9]+(?:\\.[0-9]+)?)\\s*([A-Za-z]*)\\s*");
  private static final Map<String, Long> NANOS_BY_UNIT = new LinkedHashMap<>();
  private static final Map<String, Long> BYTES_BY_UNIT = new LinkedHashMap<>();

  static {
    NANOS_BY_UNIT.put("us", 1_000L);
    NANOS_BY_UNIT.put("ms", 1_000_000L);
    NANOS_BY_UNIT.put("s", 1_000_000_000L);
    NANOS_BY_UNIT.put("m", 60_000_000_000L);
    NANOS_BY_UNIT.put("h", 3_600_000_000_000L);
    NANOS_BY_UNIT.put("d", 86_400_000_000_000L);
    BYTES_BY_UNIT.put("b", 1L);
    BYTES_BY_UNIT.put("kb", 1_000L);
    BYTES_BY_UNIT.put("mb", 1_000_000L);
    BYTES_BY_UNIT.put("gb", 1_000_000_000L);
    BYTES_BY_UNIT.put("kib", 1L << 10);
    BYTES_BY_UNIT.put("mib", 1L << 20);
    BYTES_BY_UNIT.put("gib", 1L << 30);
  }

  private Units() {}

  /**
   * @throws IllegalArgumentException with a sentence that shows how to write it
   */
  public static Duration duration(String text) {
    return Duration.ofNanos(
        quantity(
            text, NANOS_BY_UNIT, "a duration: write a number and us, ms, s, m, h or d", "40ms"));
  }

  /**
   * Bytes; KB is 1,000 and KiB 1,024.
   *
   * @throws IllegalArgumentException with a sentence that shows how to write it
   */
  public static long bytes(String text) {
    return quantity(
        text, BYTES_BY_UNIT, "a size: write a number and B, KB, MB, GB, KiB, MiB or GiB", "64MiB");
  }

  /**
   * Bytes per second; {@code unlimited} is {@link Long#MAX_VALUE}.
   *
   * @throws IllegalArgumentException with a sentence that shows how to write it
   */
  public static long bytesPerSecond(String text) {
    String trimmed = text.strip();
    if (trimmed.equals("unlimited")) {
      return Long.MAX_VALUE;
    }
    if (!trimmed.endsWith("/s")) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a rate: write a size and /s, as in 10MB/s, or 'unlimited'");
    }
    long rate = bytes(trimmed.substring(0, trimmed.length() - 2));
    if (rate < 1) {
      throw new IllegalArgumentException(
          "a rate of " + text + " lets nothing through: use 'wan cut' for that");
    }
    return rate;
  }

  private static long quantity(
      String text, Map<String, Long> units, String expectation, String example) {
    Matcher matcher = QUANTITY.matcher(text);
    Long factor = matcher.matches() ? units.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
    if (factor == null) {
      throw new IllegalArgumentException(
          "'" + text + "' is not " + expectation + ", as in " + example);
    }
    try {
      return new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(factor)).longValueExact();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is too large or too finely divided for " + expectation, e);
    }
  }

  /** {@code 1.5s}, {@code 40ms}, {@code 2m}: the largest unit that needs no more than a decimal. */
  public static String format(Duration duration) {
    long nanos = duration.toNanos();
    String best = nanos / 1_000 + "us";
    for (Map.Entry<String, Long> unit : NANOS_BY_UNIT.entrySet()) {
      if (nanos >= unit.getValue() && nanos % (unit.getValue() / 10) == 0) {
        best = decimal(nanos, unit.getValue()) + unit.getKey();
      }
    }
    return nanos == 0 ? "0ms" : best;
  }

  /** {@code 64MiB}, {@code 1.2GB}: powers of 1,024 where they fit exactly, else of 1,000. */
  public static String formatBytes(long bytes) {
    String[] binary = {"GiB", "MiB", "KiB"};
    for (String unit : binary) {
      long factor = unitBytes(unit);
      if (bytes >= factor && bytes % factor == 0) {
        return bytes / factor + unit;
      }
    }
    String[] decimal = {"GB", "MB", "KB"};
    for (String unit : decimal) {
      long factor = unitBytes(unit);
      if (bytes >= factor) {
        return String.format(Locale.ROOT, "%.1f%s", (double) bytes / factor, unit);
      }
    }
    return bytes + "B";
  }

  private static long unitBytes(String unit) {
    return BYTES_BY_UNIT.getOrDefault(unit.toLowerCase(Locale.ROOT), 1L);
  }

  private static String decimal(long value, long unit) {
    return BigDecimal.valueOf(value)
        .divide(BigDecimal.valueOf(unit))
        .stripTrailingZeros()
        .toPlainString();
  }
}
