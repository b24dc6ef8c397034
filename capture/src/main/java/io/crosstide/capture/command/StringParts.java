package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Commands that change a part of a string, or make one of others. What is published is the whole
 * value: computed where the shadow has what it takes, else read back.
 */
final class StringParts {
  private static final byte[] NOTHING = {};

  private StringParts() {}

  static void register(CommandTable table) {
    table.add("APPEND", StringParts::append);
    table.add("SETRANGE", StringParts::setRange);
    table.add("SETBIT", StringParts::setBit);
    table.addOfKeys("BITOP", StringParts::combine);
  }

  private static void append(CommandContext context, byte[][] argv) {
    byte[] tail = argv[2];
    change(
        context,
        argv[1],
        (long) lengthOf(context.key(argv[1])) + tail.length,
        value -> {
          byte[] longer = Arrays.copyOf(value, value.length + tail.length);
          System.arraycopy(tail, 0, longer, value.length, tail.length);
          return longer;
        });
  }

  private static void setRange(CommandContext context, byte[][] argv) {
    long offset = Numbers.requireInteger(argv[2]);
    byte[] part = argv[3];
    change(
        context,
        argv[1],
        offset + part.length,
        value -> {
          byte[] changed = grown(value, (int) offset + part.length);
          System.arraycopy(part, 0, changed, (int) offset, part.length);
          return changed;
        });
  }

  private static void setBit(CommandContext context, byte[][] argv) {
    long bit = Numbers.requireInteger(argv[2]);
    boolean on = argv[3][0] == '1';
    int at = (int) (bit >>> 3);
    int mask = 0x80 >>> (bit & 7);
    change(
        context,
        argv[1],
        at + 1L,
        value -> {
          byte[] changed = grown(value, at + 1);
          changed[at] = (byte) (on ? changed[at] | mask : changed[at] & ~mask);
          return changed;
        });
  }

  /** A copy of {@code value} with zeros behind it up to {@code length}. */
  static byte[] grown(byte[] value, int length) {
    return Arrays.copyOf(value, Math.max(value.length, length));
  }

  /**
   * Changes the key's value, an absent one being empty, and publishes it.
   *
   * @param lengthAtLeast of the value after the change; the change is not made if it is too long
   * @param change is given the value before and returns another array
   */
  static void change(
      CommandContext context, byte[] name, long lengthAtLeast, UnaryOperator<byte[]> change) {
    ShadowKey key = context.key(name);
    if (lengthAtLeast + name.length > context.config().eventBytesMax()) {
      key.markUnknown(ShadowType.STRING);
      context.tooLong(key.redisKey());
      return;
    }
    byte[] before = value(key);
    if (before == null) {
      context.leaveUnresolved(key);
      return;
    }
    Bytes after = Bytes.wrap(change.apply(before));
    key.setStringForParts(after);
    context.emit(key.redisKey(), new Change.StringSet(after, key.deadlineMillis(), false));
  }

  private static int lengthOf(ShadowKey key) {
    byte[] value = value(key);
    return value == null ? 0 : value.length;
  }

  /** The value, empty of an absent key; null if it is not kept. Not to be changed. */
  private static byte @Nullable [] value(ShadowKey key) {
    if (!key.exists()) {
      return NOTHING;
    }
    Content content = key.is(ShadowType.STRING) && key.exact() ? key.content() : null;
    Bytes value = content == null ? null : content.value();
    return value == null ? null : value.array();
  }

  /** {@code BITOP}: shorter values count as if they had zeros behind them. */
  private static void combine(CommandContext context, byte[][] argv) {
    if (context.takesReserved(argv[2])) {
      return;
    }
    byte[] result = result(context, CommandTable.upperCase(argv[1]), argv);
    ShadowKey target = context.key(argv[2]);
    if (result == null) {
      KeyCommands.stored(context, target, 0);
    } else if (result.length == 0) {
      context.removeKey(target);
    } else {
      target.setStringForParts(Bytes.wrap(result));
      target.deadline(0);
      context.emit(target.redisKey(), new Change.StringSet(Bytes.wrap(result), 0, false));
    }
  }

  /** Null if one of the values is not kept. */
  private static byte @Nullable [] result(CommandContext context, String operation, byte[][] argv) {
    byte[] result = source(context, argv[3]);
    if (result == null) {
      return null;
    }
    if (operation.equals("NOT")) {
      byte[] inverse = result.clone();
      for (int i = 0; i < inverse.length; i++) {
        inverse[i] = (byte) ~inverse[i];
      }
      return inverse;
    }
    for (int source = 4; source < argv.length; source++) {
      byte[] other = source(context, argv[source]);
      if (other == null) {
        return null;
      }
      result = grown(result, other.length);
      for (int i = 0; i < result.length; i++) {
        int right = i < other.length ? other[i] : 0;
        result[i] =
            (byte)
                switch (operation) {
                  case "AND" -> result[i] & right;
                  case "OR" -> result[i] | right;
                  case "XOR" -> result[i] ^ right;
                  default -> throw new IllegalArgumentException("BITOP " + operation);
                };
      }
    }
    return result;
  }

  private static byte @Nullable [] source(CommandContext context, byte[] name) {
    boolean isReserved = RedisKey.isReserved(name);
    return isReserved ? null : value(context.key(name));
  }
}
