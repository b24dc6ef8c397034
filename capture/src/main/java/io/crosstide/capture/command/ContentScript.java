package io.crosstide.capture.command;

import io.crosstide.protocol.RedisKey;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * The script by which a Redis puts a key's content into its replication stream: it writes it, in
 * pieces, to reserved keys of the same database, and removes those at once. The stream then shows
 * the content at the place where the key held it.
 *
 * <pre>
 *   MULTI
 *   HSET __ct:read key K type T deadline D    T as TYPE says it, or "long"; D 0 for none
 *   SET __ct:read:value V                     of a string
 *   HSET __ct:read:elements e v e v …         of a collection, as often as it takes; of a list in
 *                                             its order, e its index
 *   DEL __ct:read:elements
 *   HSET __ct:read end 1
 *   DEL __ct:read __ct:read:value
 *   EXEC
 * </pre>
 */
public final class ContentScript {
  static final String KEY = RedisKey.RESERVED_PREFIX + "read";
  static final String VALUE = KEY + ":value";
  static final String ELEMENTS = KEY + ":elements";

  /** What it says of a string that is longer than any event may be. */
  static final String TOO_LONG = "long";

  private static final byte[] NAME = KEY.getBytes(StandardCharsets.US_ASCII);
  private static final byte[] TEXT = load();

  private ContentScript() {}

  /**
   * The call that has Redis do it, as words of a command. It answers {@code +OK}.
   *
   * @param valueBytesMax of a longer string only that is told
   */
  public static byte[][] call(RedisKey key, int valueBytesMax) {
    return new byte[][] {
      ascii("EVAL"),
      TEXT,
      ascii("4"),
      NAME,
      ascii(VALUE),
      ascii(ELEMENTS),
      key.name().array(),
      ascii(Integer.toString(key.db())),
      ascii(Integer.toString(valueBytesMax))
    };
  }

  /** Whether {@code key} is one that the script writes to. */
  static boolean isOf(byte[] key) {
    if (key.length < NAME.length) {
      return false;
    }
    for (int i = 0; i < NAME.length; i++) {
      if (key[i] != NAME[i]) {
        return false;
      }
    }
    return true;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] load() {
    try (InputStream in =
        Objects.requireNonNull(ContentScript.class.getResourceAsStream("content.lua"))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("the script content.lua cannot be read from the jar", e);
    }
  }
}
