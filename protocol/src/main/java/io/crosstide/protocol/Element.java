package io.crosstide.protocol;

import io.crosstide.crdt.Bytes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * One element of one key: what events change, effects write, and guards check.
 *
 * @param name field or member; empty for {@link ElementKind#STRING} and {@link
 *     ElementKind#DEADLINE}
 */
public record Element(RedisKey key, ElementKind kind, Bytes name) implements Comparable<Element> {
  /** Hex digits of each of the two digests of {@link #digest()}: 80 bits. */
  static final int DIGEST_HEX = 20;

  /** Finding the algorithm anew costs more than using it, and a clone is 600 bytes. */
  private static final ThreadLocal<MessageDigest> SHA1 = ThreadLocal.withInitial(Element::newSha1);

  public static Element string(RedisKey key) {
    return new Element(key, ElementKind.STRING, Bytes.EMPTY);
  }

  public static Element deadline(RedisKey key) {
    return new Element(key, ElementKind.DEADLINE, Bytes.EMPTY);
  }

  /**
   * Names this element in the marker's exceptions: 20 hex digits of SHA-1 of {@code db:key}, then
   * 20 of SHA-1 of the kind's tag followed by the element's name. The Lua function computes the
   * same.
   */
  public String digest() {
    return keyDigest(key) + elementDigest(kind, name);
  }

  /** The first half of {@link #digest()}, equal for all elements of a key. */
  public static String keyDigest(RedisKey key) {
    return sha1Hex((key.db() + ":").getBytes(StandardCharsets.US_ASCII), key.name().array());
  }

  private static String elementDigest(ElementKind kind, Bytes name) {
    return sha1Hex(new byte[] {(byte) kind.tag()}, name.array());
  }

  private static String sha1Hex(byte[] head, byte[] tail) {
    MessageDigest sha1 = sha1();
    sha1.update(head);
    sha1.update(tail);
    return HexFormat.of().formatHex(sha1.digest(), 0, DIGEST_HEX / 2);
  }

  /** A digest to compute one SHA-1 with, at once: it is the calling thread's only one. */
  static MessageDigest sha1() {
    MessageDigest sha1 = SHA1.get();
    sha1.reset();
    return sha1;
  }

  private static MessageDigest newSha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Element that
        && kind == that.kind
        && name.equals(that.name)
        && key.equals(that.key);
  }

  @Override
  public int hashCode() {
    return (31 * key.hashCode() + kind.tag()) * 31 + name.hashCode();
  }

  @Override
  public int compareTo(Element other) {
    int byKey = key.compareTo(other.key);
    if (byKey != 0) {
      return byKey;
    }
    int byKind = kind.compareTo(other.kind);
    return byKind != 0 ? byKind : name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return key + "[" + kind.tag() + (name.isEmpty() ? "" : " " + name) + "]";
  }
}
