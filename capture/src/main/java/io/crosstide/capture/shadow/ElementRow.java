package io.crosstide.capture.shadow;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.util.Arrays;

/**
 * The value of an element's row: for a hash field a flag and its value or SHA-1, for a sorted-set
 * member its score, for a set member nothing. A name too long for the row comes first, with its
 * length (4).
 */
final class ElementRow {
  private static final byte VALUE = 0;
  private static final byte DIGEST = 1;
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
