package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A digest of one key's value that depends neither on how Redis encodes it nor on the order in
 * which its elements are read: the sum of the elements' digests. So a collection of any size can be
 * digested in constant memory. It detects differences; it is not made to resist an adversary.
 *
 * <p>The element of a string has the empty name, a set's members have empty values, scores are in
 * the form of {@link Content#formatScore}.
 */
public final class ValueDigest {
  private final String type;
  private final MessageDigest sha1 = newSha1();
  private long elements;
  private long sumHigh;
  private long sumLow;

  public ValueDigest(String type) {
    this.type = type;
  }

  public ValueDigest add(Bytes name, Bytes value) {
    return add(name.array(), value.array());
  }

  ValueDigest add(byte[] name, byte[] value) {
    begin(name);
    update(value);
    return end();
  }

  public ValueDigest addScore(Bytes member, double score) {
    return addScore(member.array(), score);
  }

  ValueDigest addScore(byte[] member, double score) {
    return add(member, Content.formatScore(score).getBytes(StandardCharsets.US_ASCII));
  }

  /** Starts an element whose value comes in pieces. */
  void begin(byte[] name) {
    sha1.update(ByteBuffer.allocate(Integer.BYTES).putInt(name.length).array());
    sha1.update(name);
  }

  void update(byte[] piece) {
    sha1.update(piece);
  }

  ValueDigest end() {
    ByteBuffer digest = ByteBuffer.wrap(sha1.digest());
    sumHigh += digest.getLong();
    sumLow += digest.getLong();
    elements++;
    return this;
  }

  long elements() {
    return elements;
  }

  /** The digest of all elements added: 20 bytes. */
  public Bytes finish() {
    MessageDigest last = newSha1();
    last.update(type.getBytes(StandardCharsets.US_ASCII));
    last.update(
        ByteBuffer.allocate(3 * Long.BYTES)
            .putLong(elements)
            .putLong(sumHigh)
            .putLong(sumLow)
            .array());
    return Bytes.wrap(last.digest());
  }

  private static MessageDigest newSha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }
}
