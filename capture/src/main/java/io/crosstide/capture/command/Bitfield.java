package io.crosstide.capture.command;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@code BITFIELD}, whose writes are made here as Redis makes them, overflow included: the stream
 * has the command, not its result.
 */
final class Bitfield {
  private enum Overflow {
    WRAP,
    SAT,
    FAIL
  }

  /** One {@code SET} or {@code INCRBY}. */
  private record Write(
      boolean increments, boolean signed, int bits, long offset, long operand, Overflow overflow) {}

  private Bitfield() {}

  static void register(CommandTable table) {
    table.add("BITFIELD", Bitfield::run);
  }

  private static void run(CommandContext context, byte[][] argv) {
    List<Write> writes = parse(argv);
    long lastBit = writes.stream().mapToLong(w -> w.offset() + w.bits() - 1).max().orElse(-1);
    if (lastBit < 0) {
      return;
    }
    long length = (lastBit >>> 3) + 1;
    StringParts.change(
        context,
        argv[1],
        length,
        value -> {
          byte[] changed = StringParts.grown(value, (int) length);
          writes.forEach(write -> apply(write, changed));
          return changed;
        });
  }

  private static List<Write> parse(byte[][] argv) {
    List<Write> writes = new ArrayList<>();
    Overflow overflow = Overflow.WRAP;
    int at = 2;
    while (at < argv.length) {
      String word = CommandTable.upperCase(argv[at]);
      switch (word) {
        case "OVERFLOW" -> {
          overflow = Overflow.valueOf(Numbers.ascii(argv[at + 1]).toUpperCase(Locale.ROOT));
          at += 2;
        }
        case "GET" -> at += 3;
        case "SET", "INCRBY" -> {
          String type = Numbers.ascii(argv[at + 1]);
          int bits = Integer.parseInt(type.substring(1));
          String offset = Numbers.ascii(argv[at + 2]);
          boolean counted = offset.startsWith("#");
          writes.add(
              new Write(
                  word.equals("INCRBY"),
                  type.charAt(0) == 'i',
                  bits,
                  counted ? Long.parseLong(offset.substring(1)) * bits : Long.parseLong(offset),
                  Numbers.requireInteger(argv[at + 3]),
                  overflow));
          at += 4;
        }
        default -> throw new IllegalArgumentException("BITFIELD with " + word);
      }
    }
    return writes;
  }

  private static void apply(Write write, byte[] value) {
    BigInteger operand = BigInteger.valueOf(write.operand());
    BigInteger wanted;
    if (write.increments()) {
      wanted = BigInteger.valueOf(read(write, value)).add(operand);
    } else {
      // Redis takes the operand of an unsigned SET for an unsigned number of 64 bits.
      boolean asUnsigned = !write.signed() && write.operand() < 0;
      wanted = asUnsigned ? operand.add(BigInteger.ONE.shiftLeft(64)) : operand;
    }
    int magnitude = write.signed() ? write.bits() - 1 : write.bits();
    BigInteger max = BigInteger.ONE.shiftLeft(magnitude).subtract(BigInteger.ONE);
    BigInteger min = write.signed() ? max.negate().subtract(BigInteger.ONE) : BigInteger.ZERO;
    boolean fits = wanted.compareTo(min) >= 0 && wanted.compareTo(max) <= 0;
    if (fits || write.overflow() == Overflow.WRAP) {
      store(write, value, wanted.longValue());
    } else if (write.overflow() == Overflow.SAT) {
      store(write, value, (wanted.signum() < 0 ? min : max).longValue());
    }
  }

  private static long read(Write write, byte[] value) {
    long bits = 0;
    for (int i = 0; i < write.bits(); i++) {
      long at = write.offset() + i;
      bits = bits << 1 | (value[(int) (at >>> 3)] >>> (7 - (at & 7)) & 1);
    }
    int unused = 64 - write.bits();
    return write.signed() ? bits << unused >> unused : bits;
  }

  private static void store(Write write, byte[] value, long bits) {
    for (int i = 0; i < write.bits(); i++) {
      long at = write.offset() + i;
      int mask = 0x80 >>> (at & 7);
      boolean on = (bits >>> (write.bits() - 1 - i) & 1) != 0;
      int index = (int) (at >>> 3);
      value[index] = (byte) (on ? value[index] | mask : value[index] & ~mask);
    }
  }
}
