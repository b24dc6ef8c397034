package io.crosstide.capture.shadow;

import io.crosstide.crdt.Bytes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * How names of keys, fields and members stand in rows, and therefore the order in which cursors
 * show them.
 *
 * <p>A name of up to {@link #RAW_MAX} bytes stands as it is. A longer one is cut there and its
 * SHA-256 appended, and the row's value holds the whole name: rows stay small although Redis allows
 * names of 512 MB. Rows of long names are exactly {@code RAW_MAX + 32} bytes, so the two forms
 * cannot be confused.
 */
public final class ShadowNames {
  /** Longest name that stands in a row as it is. Bytes. */
  static final int RAW_MAX = 4096;

  private static final int DIGEST_BYTES = 32;

  private ShadowNames() {}

  /** The order of cursors: byte order, except among long names that begin alike. */
  public static int compare(Bytes a, Bytes b) {
    if (a.length() <= RAW_MAX && b.length() <= RAW_MAX) {
      return a.compareTo(b);
    }
    return Arrays.compareUnsigned(inRow(a), inRow(b));
  }

  static boolean isLong(Bytes name) {
    return name.length() > RAW_MAX;
  }

  static boolean isLongInRow(int rowNameLength) {
    return rowNameLength > RAW_MAX;
  }

  /** The name as it stands in a row. */
  static byte[] inRow(Bytes name) {
    byte[] raw = name.array();
    if (raw.length <= RAW_MAX) {
      return raw;
    }
    byte[] cut = Arrays.copyOf(raw, RAW_MAX + DIGEST_BYTES);
    System.arraycopy(sha256(raw), 0, cut, RAW_MAX, DIGEST_BYTES);
    return cut;
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
