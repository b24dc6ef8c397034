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

/** Hashes. Redis shows {@code HINCRBYFLOAT} as {@code HSET key field result}. */
final class HashCommands {
  private static final byte[] HSET = {'H', 'S', 'E', 'T'};

  private HashCommands() {}

  static void register(CommandTable table) {
    table.add("HSET", HashCommands::put);
    table.add("HMSET", HashCommands::put);
    table.add("HSETNX", HashCommands::put);
    table.add("HINCRBY", HashCommands::add);
    table.add("HDEL", HashCommands::remove);
  }

  private static void put(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    for (int i = 2; i + 1 < argv.length; i += 2) {
      Bytes field = Bytes.wrap(argv[i]);
      Bytes value = Bytes.wrap(argv[i + 1]);
      BigDecimal increment = floatIncrement(context, key, field, argv);
      key.putField(field, value);
      context.emit(
          key.redisKey(),
          increment == null
              ? new Change.HashPut(field, value)
              : new Change.HashAdd(field, increment, value));
    }
  }

  /**
   * The increment, if this is how Redis writes {@code HINCRBYFLOAT} of a number that is there. Of
   * two integers it is taken for a client's {@code HSET}, which is far more usual.
   */
  private static @Nullable BigDecimal floatIncrement(
      CommandContext context, ShadowKey key, Bytes field, byte[][] argv) {
    boolean asRedisWritesIt =
        context.config().floatIncrements()
            && argv.length == 4
            && Arrays.equals(argv[0], HSET)
            && Numbers.isRedisFloat(argv[3]);
    if (!asRedisWritesIt) {
      return null;
    }
    Content before = key.field(field);
    boolean integers = Numbers.integer(before).isPresent() && Numbers.integer(argv[3]).isPresent();
    return integers ? null : StringCommands.difference(StringCommands.decimal(before), argv[3]);
  }

  private static void add(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    Bytes field = Bytes.wrap(argv[2]);
    long delta = Numbers.requireInteger(argv[3]);
    Content content = key.field(field);
    OptionalLong before =
        !content.isAbsent()
            ? Numbers.integer(content)
            : key.exact() ? OptionalLong.of(0) : OptionalLong.empty();
    if (before.isPresent()) {
      key.putField(field, Bytes.wrap(Numbers.text(before.getAsLong() + delta)));
    } else {
      // The sum is unknown; the increment is not.
      key.markUnknown(ShadowType.HASH);
      key.remove(field);
    }
    context.emit(key.redisKey(), new Change.HashAdd(field, BigDecimal.valueOf(delta), null));
  }

  private static void remove(CommandContext context, byte[][] argv) {
    Removal.run(context, argv, Change.HashRemove::new);
  }
}
