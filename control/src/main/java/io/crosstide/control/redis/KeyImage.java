package io.crosstide.control.redis;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A key's whole content, small enough to compare millions: type, deadline, number of elements, and
 * a digest of them that does not depend on their order, but for a list's elements. Images of equal
 * content are equal, whether taken from a Redis or from merged state.
 *
 * @param type as Redis's {@code TYPE} says it; {@code none} for an absent key
 * @param deadlineMillis since 1970; 0 for none
 * @param digestHigh with {@code digestLow}, the 128-bit sum of the elements' hashes
 */
public record KeyImage(
    String type, long deadlineMillis, long elements, long digestHigh, long digestLow) {
  public static final KeyImage ABSENT = new KeyImage("none", 0, 0, 0, 0);

  public boolean isAbsent() {
    return type.equals(ABSENT.type);
  }

  /**
   * Whether both say the same, deadlines within {@code toleranceMillis}: a Redis before 7.0 tells
   * only the time left, which is a moment old when it arrives.
   */
  public boolean matches(KeyImage other, long toleranceMillis) {
    return type.equals(other.type)
        && elements == other.elements
        && digestHigh == other.digestHigh
        && digestLow == other.digestLow
        && (deadlineMillis == 0) == (other.deadlineMillis == 0)
        && Math.abs(deadlineMillis - other.deadlineMillis) <= toleranceMillis;
  }

  /** One word for the kind of difference, for people: {@code type}, {@code value}, ... */
  public String differenceTo(KeyImage other) {
    if (!type.equals(other.type)) {
      return isAbsent() || other.isAbsent() ? "presence" : "type";
    }
    if (elements != other.elements) {
      return "size";
    }
    if (digestHigh != other.digestHigh || digestLow != other.digestLow) {
      return "value";
    }
    return "deadline";
  }

  /** Sums up a key's elements. Not thread-safe; {@link #image} may be called once per reset. */
  public static final class Builder {
    private final MessageDigest sha1 = sha1();
    private long elements;
    private long high;
    private long low;

    public Builder reset() {
      elements = 0;
      high = 0;
      low = 0;
      return this;
    }

    public long elements() {
      return elements;
    }

    public void add(Bytes name, Content content) {
      // The value enters through its SHA-1, so that merged state may know long values by digest.
      byte[] valueSha1 = content.sha1().array();
      sha1.update(ByteBuffer.allocate(4).putInt(name.length()).array());
      sha1.update(name.array());
      sha1.update(valueSha1);
      ByteBuffer hash = ByteBuffer.wrap(sha1.digest());
      long hashHigh = hash.getLong();
      long hashLow = hash.getLong();
      low += hashLow;
      high += hashHigh + (Long.compareUnsigned(low, hashLow) < 0 ? 1 : 0);
      elements++;
    }

    /** A list's next element: its place in the list is its name. */
    public void addNext(Content content) {
      add(Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(elements).array()), content);
    }

    public KeyImage image(String type, long deadlineMillis) {
      return new KeyImage(type, deadlineMillis, elements, high, low);
    }

    private static MessageDigest sha1() {
      try {
        return MessageDigest.getInstance("SHA-1");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every JDK has SHA-1", e);
      }
    }
  }

  /** One line of text, for transfer between processes: inverse of {@link #parse}. */
  public String encode() {
    return type
        + " "
        + deadlineMillis
        + " "
        + elements
        + " "
        + Long.toHexString(digestHigh)
        + " "
        + Long.toHexString(digestLow);
  }

  public static KeyImage parse(String text) {
    String[] parts = text.split(" ", -1);
    if (parts.length != 5) {
      throw new IllegalArgumentException("'" + text + "' is not a key image: expected 5 words");
    }
    return new KeyImage(
        parts[0],
        Long.parseLong(parts[1]),
        Long.parseLong(parts[2]),
        Long.parseUnsignedLong(parts[3], 16),
        Long.parseUnsignedLong(parts[4], 16));
  }
}
