package io.crosstide.schemas;

import java.util.Arrays;

/**
 * A growing byte string in Avro's binary encoding. Writes what Avro's {@code BinaryEncoder} would,
 * without its buffers and streams: events are written one at a time on capture's hot path.
 */
final class AvroOutput {
  /** Ten bytes hold any long. */
  private static final int LONG_BYTES_MAX = 10;

  private byte[] bytes;
  private int size;

  AvroOutput(int sizeExpected) {
    bytes = new byte[Math.max(16, sizeExpected)];
  }

  void writeByte(int value) {
    ensure(1);
    bytes[size++] = (byte) value;
  }

  void writeBoolean(boolean value) {
    writeByte(value ? 1 : 0);
  }

  /** An {@code int} or {@code long}: zigzag, seven bits to a byte. */
  void writeLong(long value) {
    ensure(LONG_BYTES_MAX);
    long rest = (value << 1) ^ (value >> 63);
    while ((rest & ~0x7fL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  void writeDouble(double value) {
    ensure(Double.BYTES);
    long bits = Double.doubleToRawLongBits(value);
    for (int i = 0; i < Double.BYTES; i++) {
      bytes[size++] = (byte) (bits >>> (8 * i));
    }
  }

  /** {@code bytes}, or a {@code string}'s UTF-8. */
  void writeBytes(byte[] value) {
    writeLong(value.length);
    writeRaw(value);
  }

  void writeRaw(byte[] value) {
    ensure(value.length);
    System.arraycopy(value, 0, bytes, size, value.length);
    size += value.length;
  }

  /** Big-endian, not Avro: the schema id of Confluent's wire format. */
  void writeInt32(int value) {
    writeByte(value >>> 24);
    writeByte(value >>> 16);
    writeByte(value >>> 8);
    writeByte(value);
  }

  byte[] toByteArray() {
    return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
  }

  private void ensure(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, Math.addExact(size, more)));
    }
  }
}
