package io.crosstide.control.redis;

import io.crosstide.protocol.Content;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes as people want to see them: UTF-8 text as it is, everything else as {@code \xHH}. */
public final class Shown {
  /** Bytes of a value that are shown. */
  private static final int BYTES_MAX = 1_024;

  private Shown() {}

  public static String text(byte[] bytes) {
    boolean whole = bytes.length <= BYTES_MAX;
    byte[] head = whole ? bytes : Arrays.copyOf(bytes, BYTES_MAX);
    return readable(head) + (whole ? "" : "…(" + bytes.length + " bytes)");
  }

  /** A value, or its digest if only that is known; {@code absent} if there is none. */
  public static String text(Content content) {
    if (content.isAbsent()) {
      return "absent";
    }
    return content.value() == null ? "sha1:" + content.sha1Hex() : text(content.value().array());
  }

  private static String readable(byte[] bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      if (text.codePoints().noneMatch(Character::isISOControl)) {
        return text;
      }
    } catch (CharacterCodingException e) {
      // Not text, which is all this was to find out.
      return escaped(bytes);
    }
    return escaped(bytes);
  }

  private static String escaped(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte each : bytes) {
      int b = each & 0xff;
      if (b >= 0x20 && b < 0x7f && b != '\\') {
        out.append((char) b);
      } else {
        out.append(String.format("\\x%02x", b));
      }
    }
    return out.toString();
  }
}
