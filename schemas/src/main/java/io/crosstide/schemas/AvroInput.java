package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import java.util.Arrays;

/**
 * A cursor over a byte string in Avro's binary encoding. Checks every length against the bytes
 * there are before it allocates, and knows the field and offset at which reading failed.
 */
final class AvroInput {
  private final byte[] bytes;
  private int at;
  private String field;

  AvroInput(byte[] bytes, int from, String field) {
    this.bytes = bytes;
    this.at = from;
    this.field = field;
  }

  /** Names the field that is read next, for error messages. */
  AvroInput field(String name) {
    field = name;
    return this;
  }

  int offset() {
    return at;
  }

  MalformedEventException malformed(String problem) {
    return new MalformedEventException(field, at, problem);
  }

  long readLong() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at >= bytes.length) {
        throw malformed("the bytes end inside a number");
      }
      byte b = bytes[at++];
      value |= (b & 0x7fL) << shift;
      if (b >= 0) {
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw malformed("a number is longer than 10 bytes");
  }

  int readInt() {
    long value = readLong();
    if ((int) value != value) {
      throw malformed(value + " is outside 32 bits");
    }
    return (int) value;
  }

  boolean readBoolean() {
    need(1);
    byte b = bytes[at++];
    if ((b & ~1) != 0) {
      throw malformed(b + " is not a boolean");
    }
    return b != 0;
  }

  double readDouble() {
    need(Double.BYTES);
    long bits = 0;
    for (int i = 0; i < Double.BYTES; i++) {
      bits |= (bytes[at++] & 0xffL) << (8 * i);
    }
    return Double.longBitsToDouble(bits);
  }

  Bytes readBytes() {
    int length = readLength();
    int from = at;
    at += length;
    return Bytes.wrap(Arrays.copyOfRange(bytes, from, at));
  }

  void skipBytes() {
    skip(readLength());
  }

  void skip(int count) {
    need(count);
    at += count;
  }

  private int readLength() {
    long length = readLong();
    if (length < 0 || length > bytes.length - at) {
      throw malformed(
          "a length of " + length + " where " + (bytes.length - at) + " bytes are left");
    }
    return (int) length;
  }

  /** The branch of a union of {@code branches} types. */
  int readBranch(int branches) {
    long branch = readLong();
    if (branch < 0 || branch >= branches) {
      throw malformed("branch " + branch + " of a union of " + branches);
    }
    return (int) branch;
  }

  /** The number of items in an array's next block; 0 at its end. */
  long readBlock() {
    long count = readLong();
    if (count < 0) {
      readLong(); // the block's size in bytes, for readers that skip it
      count = -count;
    }
    if (count < 0 || count > bytes.length - at) {
      throw malformed(
          "a block of " + count + " items where " + (bytes.length - at) + " bytes are left");
    }
    return count;
  }

  void expectEnd() {
    if (at != bytes.length) {
      field = "end";
      throw malformed((bytes.length - at) + " bytes too many");
    }
  }

  private void need(int count) {
    if (bytes.length - at < count) {
      throw malformed("the bytes end");
    }
  }
}
