package io.crosstide.sandbox.redis;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Version of a Redis-compatible server, as far as the sandbox cares: major and minor number.
 *
 * @param product {@code redis} or {@code valkey}
 */
public record RedisVersion(String product, int major, int minor) {
  /** The oldest that Crosstide supports. */
  public static final RedisVersion OLDEST = new RedisVersion("redis", 6, 2);

  // "Redis server v=7.0.15 sha=..." or "Valkey server v=8.0.1 sha=..."
  private static final Pattern VERSION_LINE =
      Pattern.compile("(?im)^\\s*(redis|valkey) server v=(\\d+)\\.(\\d+)");

  /** Reads what {@code --version} printed; empty when it is not the answer of such a server. */
  static Optional<RedisVersion> parse(String output) {
    Matcher m = VERSION_LINE.matcher(output);
    if (!m.find()) {
      return Optional.empty();
    }
    return Optional.of(
        new RedisVersion(
            m.group(1).toLowerCase(java.util.Locale.ROOT),
            Integer.parseInt(m.group(2)),
            Integer.parseInt(m.group(3))));
  }

  /** Whether this is at least {@code otherMajor.otherMinor}. */
  public boolean isAtLeast(int otherMajor, int otherMinor) {
    return major > otherMajor || (major == otherMajor && minor >= otherMinor);
  }

  boolean isSupported() {
    return isAtLeast(OLDEST.major, OLDEST.minor);
  }

  @Override
  public String toString() {
    return product + " " + major + "." + minor;
  }
}
