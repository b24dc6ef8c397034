package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Strings. Redis shows {@code INCRBYFLOAT} as {@code SET key result KEEPTTL}. */
final class StringCommands {
  private static final byte[] SET = {'S', 'E', 'T'};
  private static final byte[] KEEPTTL = {'K', 'E', 'E', 'P', 'T', 'T', 'L'};

  private StringCommands() {}

  static void register(CommandTable table) {
    table.addWhole("SET", StringCommands::set);
    table.addWhole("SETNX", StringCommands::plainSet);
    table.addWhole("GETSET", StringCommands::plainSet);
    table.addWhole("SETEX", (context, argv) -> setExpiring(context, argv, 1000));
    table.addWhole("PSETEX", (context, argv) -> setExpiring(context, argv, 1));
    table.addOfKeys("MSET", StringCommands::setMany);
    table.addOfKeys("MSETNX", StringCommands::setMany);
    table.add("INCR", (context, argv) -> add(context, argv[1], 1));
    table.add("DECR", (context, argv) -> add(context, argv[1], -1));
    table.add("INCRBY", (context, argv) -> add(context, argv[1], Numbers.requireInteger(argv[2])));
    table.add("DECRBY", (context, argv) -> add(context, argv[1], -Numbers.requireInteger(argv[2])));
  }

  /** Conditions ({@code NX}, {@code XX}) held, or the command would not be in the stream. */
  private static void set(CommandContext context, byte[][] argv) {
    boolean keepsDeadline = false;
    long deadline = 0;
    for (int i = 3; i < argv.length; i++) {
      switch (CommandTable.upperCase(argv[i])) {
        case "KEEPTTL" -> keepsDeadline = true;
        case "PXAT" -> deadline = Numbers.requireInteger(argv[++i]);
        case "EXAT" -> deadline = Numbers.requireInteger(argv[++i]) * 1000;
        case "PX" -> deadline = context.nowMillis() + Numbers.requireInteger(argv[++i]);
        case "EX" -> deadline = context.nowMillis() + Numbers.requireInteger(argv[++i]) * 1000;
        default -> {
          // NX, XX and GET change nothing about what was set.
        }
      }
    }
    ShadowKey key = context.key(argv[1]);
    Bytes value = Bytes.wrap(argv[2]);
    if (keepsDeadline) {
      BigDecimal increment = floatIncrement(context, key, argv);
      if (increment != null) {
        key.setString(value);
        context.emit(key.redisKey(), new Change.StringAdd(increment, value));
        return;
      }
    }
    put(context, key, value, deadline, keepsDeadline);
  }

  /**
   * The increment, if this is how Redis writes {@code INCRBYFLOAT}. A client's own {@code SET}
   * spelled exactly so cannot be told apart.
   */
  private static @Nullable BigDecimal floatIncrement(
      CommandContext context, ShadowKey key, byte[][] argv) {
    boolean asRedisWritesIt =
        context.config().floatIncrements()
            && argv.length == 4
            && Arrays.equals(argv[0], SET)
            && Arrays.equals(argv[3], KEEPTTL)
            && Numbers.isRedisFloat(argv[2]);
    return asRedisWritesIt ? difference(currentNumber(key), argv[2]) : null;
  }

  private static @Nullable BigDecimal currentNumber(ShadowKey key) {
    if (!key.exists()) {
      return BigDecimal.ZERO;
    }
    return decimal(key.content());
  }

  static @Nullable BigDecimal decimal(@Nullable Content content) {
    Bytes value = content == null ? null : content.value();
    return value == null ? null : Numbers.decimal(value.array());
  }

  static @Nullable BigDecimal difference(@Nullable BigDecimal before, byte[] after) {
    BigDecimal now = Numbers.decimal(after);
    return before == null || now == null ? null : now.subtract(before);
  }

  private static void plainSet(CommandContext context, byte[][] argv) {
    put(context, context.key(argv[1]), Bytes.wrap(argv[2]), 0, false);
  }

  private static void setExpiring(CommandContext context, byte[][] argv, long unitMillis) {
    long deadline = context.nowMillis() + Numbers.requireInteger(argv[2]) * unitMillis;
    put(context, context.key(argv[1]), Bytes.wrap(argv[3]), deadline, false);
  }

  private static void setMany(CommandContext context, byte[][] argv) {
    for (int i = 1; i + 1 < argv.length; i += 2) {
      if (!context.takesReserved(argv[i])) {
        put(context, context.key(argv[i]), Bytes.wrap(argv[i + 1]), 0, false);
      }
    }
  }

  private static void put(
      CommandContext context,
      ShadowKey key,
      Bytes value,
      long deadlineMillis,
      boolean keepsDeadline) {
    // A deadline belongs to the value it came with (P6): one that is kept comes with the new value.
    long deadline = keepsDeadline ? key.deadlineMillis() : deadlineMillis;
    key.setString(value);
    key.deadline(deadline);
    context.emit(key.redisKey(), new Change.StringSet(value, deadline, false));
  }

  private static void add(CommandContext context, byte[] name, long delta) {
    ShadowKey key = context.key(name);
    OptionalLong before = key.exists() ? Numbers.integer(key.content()) : OptionalLong.of(0);
    if (before.isPresent()) {
      key.setString(Bytes.wrap(Numbers.text(before.getAsLong() + delta)));
    } else {
      key.markUnknown(ShadowType.STRING);
    }
    context.emit(key.redisKey(), new Change.StringAdd(BigDecimal.valueOf(delta), null));
  }
}
