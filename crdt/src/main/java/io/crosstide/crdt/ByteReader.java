package io.crosstide.crdt;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * Reads what {@link ByteWriter} wrote. Throws {@link IllegalArgumentException} where the bytes end
 * too early.
 */
public final class ByteReader {
  private final byte[] buffer;
  private int at;

  public ByteReader(byte[] buffer) {
    this.buffer = buffer;
  }

  public boolean atEnd() {
    return at == buffer.length;
  }

  public int u8() {
    need(1);
    return buffer[at++] & 0xff;
  }

  public long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int b = u8();
      value |= (long) (b & 0x7f) << shift;
      if ((b & 0x80) == 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("number of more than 64 bits at byte " + at);
  }

  public int count() {
    long count = varint();
    if (count < 0 || count > buffer.length) {
      throw new IllegalArgumentException(
          "count " + count + " at byte " + at + " is more than the state can hold");
    }
    return (int) count;
  }

  public long signed() {
    long value = varint();
    return (value >>> 1) ^ -(value & 1);
  }

  public long fixed64() {
    need(8);
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value = (value << 8) | (buffer[at++] & 0xff);
    }
    return value;
  }

  public int fixed32() {
    need(4);
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = (value << 8) | (buffer[at++] & 0xff);
    }
    return value;
  }

  public byte[] raw(int length) {
    need(length);
    byte[] bytes = Arrays.copyOfRange(buffer, at, at + length);
    at += length;
    return bytes;
  }

  public Bytes rest() {
    return Bytes.wrap(raw(buffer.length - at));
  }

  public Bytes bytes() {
    return Bytes.wrap(raw(count()));
  }

  public String text() {
    return bytes().text();
  }

  public VersionVector vector() {
    VersionVector vector = VersionVector.EMPTY;
    for (int n = count(); n > 0; n--) {
      long origin = varint();
      vector = vector.with(origin, varint());
    }
    return vector;
  }

  public Dot dot() {
    Origin origin = Origin.fromPacked(varint());
    return new Dot(origin, varint());
  }

  public BigDecimal decimal() {
    int scale = Math.toIntExact(signed());
    int length = count();
    if (length == 0 || length > Long.BYTES) {
      return new BigDecimal(new BigInteger(raw(length)), scale);
    }
    need(length);
    long unscaled = buffer[at++]; // signed: the first byte has the sign
    for (int n = length - 1; n > 0; n--) {
      unscaled = (unscaled << 8) | (buffer[at++] & 0xff);
    }
    return BigDecimal.valueOf(unscaled, scale);
  }

  private void need(int length) {
    if (length < 0 || buffer.length - at < length) {
      throw new IllegalArgumentException(
          "state of "
              + buffer.length
              + " bytes ends too early: "
              + length
              + " more needed at "
              + at);
    }
  }
}
