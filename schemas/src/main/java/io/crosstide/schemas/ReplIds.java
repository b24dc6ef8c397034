package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Replication ids as the schema packs them: 40 lower-case hex digits in 20 bytes, anything else as
 * text. Remembers the last one both ways, as nearly all events of a log have the same.
 */
final class ReplIds {
  private static final int HEX_DIGITS = 40;
  private static final int PACKED_BYTES = HEX_DIGITS / 2;

  private record Known(String text, Bytes packed) {}

  /** Racy by design: an immutable pair, at worst computed twice. */
  private Known known = new Known("", Bytes.EMPTY);

  Bytes pack(String replId) {
    Known last = known;
    if (last.text.equals(replId)) {
      return last.packed;
    }
    Bytes packed;
    if (isHex(replId)) {
      packed = Bytes.wrap(HexFormat.of().parseHex(replId));
    } else {
      packed = Bytes.utf8(replId);
      if (packed.length() == PACKED_BYTES) {
        throw new IllegalArgumentException(
            "'" + replId + "' is no replication id: Redis's have 40 hexadecimal digits");
      }
    }
    known = new Known(replId, packed);
    return packed;
  }

  String unpack(Bytes packed) {
    Known last = known;
    if (last.packed.equals(packed)) {
      return last.text;
    }
    String text =
        packed.length() == PACKED_BYTES
            ? HexFormat.of().formatHex(packed.array())
            : new String(packed.array(), StandardCharsets.UTF_8);
    known = new Known(text, packed);
    return text;
  }

  private static boolean isHex(String text) {
    if (text.length() != HEX_DIGITS) {
      return false;
    }
    for (int i = 0; i < HEX_DIGITS; i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }
}
