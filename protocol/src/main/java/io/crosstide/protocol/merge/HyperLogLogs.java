package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import java.util.Arrays;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Strings that are HyperLogLogs, as Redis lays them out: a head of 16 bytes (magic, encoding, three
 * zeros, the cardinality last counted), then 16,384 registers, dense in 6 bits each or sparse in
 * runs.
 */
final class HyperLogLogs {
  private static final int REGISTERS = 1 << 14;
  private static final int HEAD = 16;
  private static final int DENSE_LENGTH = HEAD + REGISTERS * 6 / 8;
  private static final byte DENSE = 0;
  private static final byte SPARSE = 1;
  private static final byte[] MAGIC = {'H', 'Y', 'L', 'L'};

  /** Of the head's last byte: what was last counted is no longer true. */
  private static final byte NOT_COUNTED = (byte) 0x80;

  private HyperLogLogs() {}

  /** What counts everything that any of {@code values} has counted; null if one is none. */
  static @Nullable Bytes union(Collection<Bytes> values) {
    byte[] union = new byte[REGISTERS];
    for (Bytes value : values) {
      byte[] registers = registers(value.array());
      if (registers == null) {
        return null;
      }
      for (int i = 0; i < REGISTERS; i++) {
        union[i] = (byte) Math.max(union[i], registers[i]);
      }
    }
    return dense(union);
  }

  /** One byte for each register; null if {@code value} is no HyperLogLog. */
  static byte @Nullable [] registers(byte[] value) {
    if (value.length < HEAD || !Arrays.equals(value, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return null;
    }
    return switch (value[4]) {
      case DENSE -> value.length == DENSE_LENGTH ? ofDense(value) : null;
      case SPARSE -> ofSparse(value);
      default -> null;
    };
  }

  private static byte[] ofDense(byte[] value) {
    byte[] registers = new byte[REGISTERS];
    for (int i = 0; i < REGISTERS; i++) {
      int bit = i * 6;
      int at = HEAD + bit / 8;
      int pair = (value[at] & 0xff) | (at + 1 < value.length ? (value[at + 1] & 0xff) << 8 : 0);
      registers[i] = (byte) (pair >> (bit & 7) & 0x3f);
    }
    return registers;
  }

  /** Runs of zeros in one byte or two, runs of up to four equal values in one. */
  private static byte @Nullable [] ofSparse(byte[] value) {
    byte[] registers = new byte[REGISTERS];
    int register = 0;
    for (int at = HEAD; at < value.length; at++) {
      int run = value[at] & 0xff;
      int length;
      byte rank = 0;
      if (run < 0x40) {
        length = run + 1;
      } else if (run < 0x80) {
        if (++at == value.length) {
          return null;
        }
        length = ((run & 0x3f) << 8 | (value[at] & 0xff)) + 1;
      } else {
        length = (run & 3) + 1;
        rank = (byte) ((run >> 2 & 0x1f) + 1);
      }
      if (register + length > REGISTERS) {
        return null;
      }
      Arrays.fill(registers, register, register + length, rank);
      register += length;
    }
    return register == REGISTERS ? registers : null;
  }

  /** Equal registers give equal bytes. */
  private static Bytes dense(byte[] registers) {
    byte[] value = new byte[DENSE_LENGTH];
    System.arraycopy(MAGIC, 0, value, 0, MAGIC.length);
    value[HEAD - 1] = NOT_COUNTED;
    for (int i = 0; i < REGISTERS; i++) {
      int bit = i * 6;
      int at = HEAD + bit / 8;
      int pair = registers[i] << (bit & 7);
      value[at] |= (byte) pair;
      if (at + 1 < value.length) {
        value[at + 1] |= (byte) (pair >> 8);
      }
    }
    return Bytes.wrap(value);
  }
}
