package io.crosstide.crdt;

import java.math.BigDecimal;
import java.util.Arrays;

/**
 * Builds the compact, deterministic byte form of states: variable-length integers, length-prefixed
 * bytes.
 */
public final class ByteWriter {
  private byte[] buffer;
  private int size;

  public ByteWriter() {
    this(64);
  }

  public ByteWriter(int capacity) {
    buffer = new byte[capacity];
  }

  public ByteWriter u8(int value) {
    ensure(1);
    buffer[size++] = (byte) value;
    return this;
  }

  /** An unsigned number, 7 bits to a byte, low first. */
  public ByteWriter varint(long value) {
    ensure(10);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      buffer[size++] = (byte) ((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    buffer[size++] = (byte) rest;
    return this;
  }

  /** A signed number, small for small magnitudes. */
  public ByteWriter signed(long value) {
    return varint((value << 1) ^ (value >> 63));
  }

  /** Eight bytes, high first: sorts as an unsigned number. */
  public ByteWriter fixed64(long value) {
    ensure(8);
    for (int shift = 56; shift >= 0; shift -= 8) {
      buffer[size++] = (byte) (value >>> shift);
    }
    return this;
  }

  /** Four bytes, high first. */
  public ByteWriter fixed32(int value) {
    ensure(4);
    for (int shift = 24; shift >= 0; shift -= 8) {
      buffer[size++] = (byte) (value >>> shift);
    }
    return this;
  }

  public ByteWriter raw(byte[] bytes) {
    ensure(bytes.length);
    System.arraycopy(bytes, 0, buffer, size, bytes.length);
    size += bytes.length;
    return this;
  }

  public ByteWriter bytes(byte[] bytes) {
    return varint(bytes.length).raw(bytes);
  }

  public ByteWriter bytes(Bytes bytes) {
    return bytes(bytes.array());
  }

  public ByteWriter text(String text) {
    return bytes(Bytes.utf8(text));
  }

  public ByteWriter vector(VersionVector vector) {
    varint(vector.size());
    for (int i = 0; i < vector.size(); i++) {
      varint(vector.packedOriginAt(i)).varint(vector.seqAt(i));
    }
    return this;
  }

  public ByteWriter dot(Dot dot) {
    return varint(dot.origin().packed()).varint(dot.seq());
  }

  public ByteWriter decimal(BigDecimal value) {
    return signed(value.scale()).bytes(value.unscaledValue().toByteArray());
  }

  /** Bytes written so far. */
  public int size() {
    return size;
  }

  public byte[] toByteArray() {
    return Arrays.copyOf(buffer, size);
  }

  private void ensure(int more) {
    if (buffer.length - size < more) {
      buffer = Arrays.copyOf(buffer, Math.max(size + more, buffer.length * 2));
    }
  }
}
