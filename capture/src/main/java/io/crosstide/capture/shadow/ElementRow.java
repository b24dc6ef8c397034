package io.crosstide.capture.shadow;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The value of an element's row: for a hash field or a list's element a flag and its value or
 * SHA-1, for a sorted-set member its score, for a set member nothing. A name too long for the row
 * comes first, with its length (4); between a list element's flag and value stands its position,
 * with its length (4), if the row does not name it.
 */
final class ElementRow {
  private static final byte VALUE = 0;
  private static final byte DIGEST = 1;

  /** Of a list's element, beside the others: its position follows. */
  private static final byte POSITION = 2;

  private static final byte[] NOTHING = {};

  private ElementRow() {}

  static byte[] ofField(Bytes name, Content content) {
    boolean digest = content.isDigestOnly();
    Bytes value = content.value();
    Bytes tail = digest || value == null ? content.sha1() : value;
    int at = nameLength(name);
    byte[] out = withName(name, at + 1 + tail.length());
    out[at] = digest ? DIGEST : VALUE;
    System.arraycopy(tail.array(), 0, out, at + 1, tail.length());
    return out;
  }

  static byte[] ofMember(Bytes name) {
    return ShadowNames.isLong(name) ? withName(name, nameLength(name)) : NOTHING;
  }

  static byte[] ofScore(Bytes name, double score) {
    int at = nameLength(name);
    byte[] out = withName(name, at + 8);
    Rows.putLong(out, at, Double.doubleToRawLongBits(score));
    return out;
  }

  static Content field(byte[] value, boolean longName) {
    int at = longName ? 4 + Rows.getInt(value, 0) : 0;
    Bytes tail = Bytes.wrap(Arrays.copyOfRange(value, at + 1, value.length));
    return value[at] == DIGEST ? Content.digest(tail) : Content.of(tail);
  }

  /**
   * @param position null if the row names it
   */
  static byte[] ofListElement(Content content, @Nullable Bytes position) {
    boolean digest = content.isDigestOnly();
    Bytes value = content.value();
    Bytes tail = digest || value == null ? content.sha1() : value;
    int at = position == null ? 1 : 1 + 4 + position.length();
    byte[] out = new byte[at + tail.length()];
    out[0] = digest ? DIGEST : VALUE;
    if (position != null) {
      out[0] |= POSITION;
      Rows.putInt(out, 1, position.length());
      System.arraycopy(position.array(), 0, out, 5, position.length());
    }
    System.arraycopy(tail.array(), 0, out, at, tail.length());
    return out;
  }

  static Content listElement(byte[] value) {
    int at = (value[0] & POSITION) != 0 ? 5 + Rows.getInt(value, 1) : 1;
    Bytes tail = Bytes.wrap(Arrays.copyOfRange(value, at, value.length));
    return (value[0] & DIGEST) != 0 ? Content.digest(tail) : Content.of(tail);
  }

  /** A list element's position; null if the row names it. */
  static @Nullable Bytes position(byte[] value) {
    return (value[0] & POSITION) != 0
        ? Bytes.wrap(Arrays.copyOfRange(value, 5, 5 + Rows.getInt(value, 1)))
        : null;
  }

  static double score(byte[] value) {
    return Double.longBitsToDouble(Rows.getLong(value, value.length - 8));
  }

  static Bytes longName(byte[] value) {
    return Bytes.wrap(Arrays.copyOfRange(value, 4, 4 + Rows.getInt(value, 0)));
  }

  private static int nameLength(Bytes name) {
    return ShadowNames.isLong(name) ? 4 + name.length() : 0;
  }

  private static byte[] withName(Bytes name, int length) {
    byte[] out = new byte[length];
    if (ShadowNames.isLong(name)) {
      Rows.putInt(out, 0, name.length());
      System.arraycopy(name.array(), 0, out, 4, name.length());
    }
    return out;
  }
}
