package io.crosstide.capture.shadow;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A key's own row: everything about it that is not an element.
 *
 * <p>Layout: a byte of flags and type, the deadline (8) if there is one, a long name's length (4)
 * and bytes if the row could not hold it, then for a string its value or SHA-1, for a collection
 * its generation (8) and count of elements (8).
 *
 * @param exact false when a command that cannot be derived has touched the key: what is known of it
 *     may be wrong, until it is replaced or deleted
 * @param deadlineMillis milliseconds since 1970, 0 for none
 * @param generation names this life of the collection; 0 for strings and opaque keys
 * @param count elements known
 * @param content a string's value or digest; null for other types and while unknown
 */
record KeyHeader(
    ShadowType type,
    boolean exact,
    long deadlineMillis,
    long generation,
    long count,
    @Nullable Content content) {
  private static final int TYPE_MASK = 0x07;
  private static final int EXACT = 0x08;
  private static final int DEADLINE = 0x10;
  private static final int LONG_NAME = 0x20;
  private static final int DIGEST = 0x40;
  private static final int VALUE = 0x80;

  byte[] encode(Bytes name) {
    Bytes longName = ShadowNames.isLong(name) ? name : null;
    Content held = content;
    Bytes tail = held == null ? null : held.isDigestOnly() ? held.sha1() : held.value();
    int flags = type.code();
    int length = 1;
    if (exact) {
      flags |= EXACT;
    }
    if (deadlineMillis != 0) {
      flags |= DEADLINE;
      length += 8;
    }
    if (longName != null) {
      flags |= LONG_NAME;
      length += 4 + longName.length();
    }
    if (tail != null) {
      flags |= held != null && held.isDigestOnly() ? DIGEST : VALUE;
      length += tail.length();
    } else if (generation != 0) {
      length += 16;
    }
    byte[] out = new byte[length];
    out[0] = (byte) flags;
    int at = 1;
    if (deadlineMillis != 0) {
      Rows.putLong(out, at, deadlineMillis);
      at += 8;
    }
    if (longName != null) {
      Rows.putInt(out, at, longName.length());
      System.arraycopy(longName.array(), 0, out, at + 4, longName.length());
      at += 4 + longName.length();
    }
    if (tail != null) {
      System.arraycopy(tail.array(), 0, out, at, tail.length());
    } else if (generation != 0) {
      Rows.putLong(out, at, generation);
      Rows.putLong(out, at + 8, count);
    }
    return out;
  }

  static KeyHeader decode(byte[] value) {
    int flags = value[0];
    int at = 1;
    long deadline = 0;
    if ((flags & DEADLINE) != 0) {
      deadline = Rows.getLong(value, at);
      at += 8;
    }
    if ((flags & LONG_NAME) != 0) {
      at += 4 + Rows.getInt(value, at);
    }
    ShadowType type = ShadowType.ofCode(flags & TYPE_MASK);
    boolean exact = (flags & EXACT) != 0;
    if ((flags & (DIGEST | VALUE)) != 0) {
      Bytes tail = Bytes.wrap(Arrays.copyOfRange(value, at, value.length));
      Content content = (flags & DIGEST) != 0 ? Content.digest(tail) : Content.of(tail);
      return new KeyHeader(type, exact, deadline, 0, 0, content);
    }
    if (at == value.length) {
      return new KeyHeader(type, exact, deadline, 0, 0, null);
    }
    return new KeyHeader(
        type, exact, deadline, Rows.getLong(value, at), Rows.getLong(value, at + 8), null);
  }

  /** The name kept beside a header whose row could not hold it. */
  static Bytes longName(byte[] value) {
    int at = (value[0] & DEADLINE) != 0 ? 9 : 1;
    int length = Rows.getInt(value, at);
    return Bytes.wrap(Arrays.copyOfRange(value, at + 4, at + 4 + length));
  }
}
