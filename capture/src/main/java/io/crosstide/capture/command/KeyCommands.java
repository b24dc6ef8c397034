package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;

/**
 * Commands on keys of any type. Expiry and eviction are {@code DEL} or {@code UNLINK} in the
 * stream, {@code GETDEL} is {@code DEL}, {@code GETEX} is {@code PEXPIREAT} or {@code PERSIST}.
 */
final class KeyCommands {
  private KeyCommands() {}

  static void register(CommandTable table) {
    table.addOfKeys("DEL", KeyCommands::delete);
    table.addOfKeys("UNLINK", KeyCommands::delete);
    table.addOfKeys("GETDEL", KeyCommands::delete);
    table.add("PEXPIREAT", (context, argv) -> expire(context, argv, 1, true));
    table.add("EXPIREAT", (context, argv) -> expire(context, argv, 1000, true));
    table.add("PEXPIRE", (context, argv) -> expire(context, argv, 1, false));
    table.add("EXPIRE", (context, argv) -> expire(context, argv, 1000, false));
    table.add("PERSIST", KeyCommands::persist);
    table.addOfKeys("RENAME", (context, argv) -> rename(context, argv));
    table.addOfKeys("RENAMENX", (context, argv) -> rename(context, argv));
    table.addOfKeys("COPY", KeyCommands::copy);
    table.addOfKeys("MOVE", KeyCommands::move);
    table.addOfKeys("FLUSHDB", (context, argv) -> flush(context, context.db()));
    table.addOfKeys("FLUSHALL", KeyCommands::flushAll);
    table.addOfKeys("SWAPDB", KeyCommands::swap);
  }

  private static void delete(CommandContext context, byte[][] argv) {
    for (int i = 1; i < argv.length; i++) {
      if (!context.takesReserved(argv[i])) {
        context.removeKey(context.key(argv[i]));
      }
    }
  }

  /** Conditions (NX, XX, GT, LT) held, or the command would not be in the stream. */
  private static void expire(
      CommandContext context, byte[][] argv, long unitMillis, boolean absolute) {
    long millis = Numbers.requireInteger(argv[2]) * unitMillis;
    ShadowKey key = context.key(argv[1]);
    if (!key.exists()) {
      key.markOpaque();
    }
    long deadline = absolute ? millis : context.nowMillis() + millis;
    key.deadline(deadline);
    if (!key.is(ShadowType.OPAQUE)) {
      context.emit(key.redisKey(), new Change.DeadlineSet(deadline));
    }
  }

  private static void persist(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    boolean mayHaveOne = key.deadlineMillis() != 0 || !key.exact();
    key.deadline(0);
    if (mayHaveOne && !key.is(ShadowType.OPAQUE)) {
      context.emit(key.redisKey(), new Change.DeadlinePersist());
    }
  }

  private static void rename(CommandContext context, byte[][] argv) {
    if (context.takesReserved(argv[1])) {
      becomesUnknown(context, argv[2]);
      return;
    }
    ShadowKey from = context.key(argv[1]);
    if (context.takesReserved(argv[2])) {
      context.removeKey(from);
      return;
    }
    Bytes source = Bytes.wrap(argv[1]);
    Bytes target = Bytes.wrap(argv[2]);
    if (source.equals(target)) {
      return;
    }
    if (isDerivable(context, from)) {
      emitContents(context, from, context.db(), target);
      context.emit(new RedisKey(context.db(), source), new Change.KeyDelete());
    }
    context.shadow().rename(context.db(), source, target);
  }

  private static void copy(CommandContext context, byte[][] argv) {
    int targetDb = context.db();
    for (int i = 3; i < argv.length; i++) {
      if (CommandTable.upperCase(argv[i]).equals("DB")) {
        targetDb = (int) Numbers.requireInteger(argv[++i]);
      }
    }
    copyTo(context, argv[1], targetDb, argv[2]);
  }

  private static void move(CommandContext context, byte[][] argv) {
    copyTo(context, argv[1], (int) Numbers.requireInteger(argv[2]), argv[1]);
    if (!context.takesReserved(argv[1])) {
      ShadowKey source = context.key(argv[1]);
      boolean derivable = source.exists() && hasWholeContents(source);
      RedisKey name = source.redisKey();
      source.delete();
      if (derivable) {
        context.emit(name, new Change.KeyDelete());
      }
    }
  }

  private static void copyTo(CommandContext context, byte[] source, int targetDb, byte[] target) {
    boolean reserved = context.takesReserved(targetDb, target);
    if (RedisKey.isReserved(source)) {
      if (!reserved) {
        ShadowKey key = context.shadow().key(targetDb, Bytes.wrap(target));
        key.markOpaque();
      }
      return;
    }
    if (reserved) {
      return;
    }
    ShadowKey from = context.key(source);
    if (isDerivable(context, from)) {
      emitContents(context, from, targetDb, Bytes.wrap(target));
    }
    context.shadow().copy(context.db(), Bytes.wrap(source), targetDb, Bytes.wrap(target));
  }

  private static boolean isDerivable(CommandContext context, ShadowKey from) {
    if (from.exists() && hasWholeContents(from)) {
      return true;
    }
    context.unsupported(
        "the target is not replicated when the source is of a type not followed or holds values"
            + " longer than "
            + Content.INLINE_MAX
            + " bytes, which are not kept");
    return false;
  }

  /** Whether the shadow has every byte of the key. */
  private static boolean hasWholeContents(ShadowKey key) {
    if (!key.exact()) {
      return false;
    }
    return switch (key.type()) {
      case STRING -> {
        Content content = key.content();
        yield content != null && !content.isDigestOnly();
      }
      case HASH -> hasWholeFields(key);
      case SET, ZSET -> true;
      case OPAQUE -> false;
    };
  }

  private static boolean hasWholeFields(ShadowKey key) {
    try (ElementCursor fields = key.elements()) {
      while (fields.next()) {
        if (fields.content().isDigestOnly()) {
          return false;
        }
      }
      return true;
    }
  }

  /** Emits what makes {@code target} hold what {@code from} holds. The shadow does not move. */
  private static void emitContents(
      CommandContext context, ShadowKey from, int targetDb, Bytes targetName) {
    RedisKey target = new RedisKey(targetDb, targetName);
    RedisKey source = from.redisKey();
    if (from.type() == ShadowType.STRING) {
      Content content = from.content();
      Bytes value = content == null ? null : content.value();
      if (value != null) {
        context.emit(target, new Change.StringSet(value, from.deadlineMillis(), false));
      }
      return;
    }
    boolean replaces = context.shadow().key(targetDb, targetName).exists();
    if (replaces) {
      context.emit(target, new Change.KeyDelete());
    }
    ShadowKey again = context.shadow().key(source.db(), source.name());
    try (ElementCursor elements = again.elements()) {
      while (elements.next()) {
        Bytes value = elements.content().value();
        context.emit(
            target,
            switch (again.type()) {
              case HASH -> new Change.HashPut(elements.name(), value == null ? Bytes.EMPTY : value);
              case ZSET -> new Change.ZsetPut(elements.name(), elements.score());
              default -> new Change.SetAdd(elements.name());
            });
      }
    }
    if (again.deadlineMillis() != 0) {
      context.emit(target, new Change.DeadlineSet(again.deadlineMillis()));
    }
  }

  private static void becomesUnknown(CommandContext context, byte[] name) {
    if (!context.takesReserved(name)) {
      ShadowKey key = context.key(name);
      key.delete();
      key.markOpaque();
      context.unsupported("a reserved key was given another name, which is not replicated");
    }
  }

  private static void flush(CommandContext context, int db) {
    try (ShadowCursor keys = context.shadow().keys(db)) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        context.emit(key.redisKey(), new Change.KeyDelete());
      }
    }
    context.shadow().clear(db);
    if (db == 0) {
      context.allMarkersTaken();
    }
  }

  private static void flushAll(CommandContext context, byte[][] argv) {
    for (int db : context.shadow().databases()) {
      flush(context, db);
    }
    context.allMarkersTaken();
  }

  private static void swap(CommandContext context, byte[][] argv) {
    int one = (int) Numbers.requireInteger(argv[1]);
    int other = (int) Numbers.requireInteger(argv[2]);
    context.unsupported("the exchange of two databases is not replicated");
    context.shadow().swap(one, other);
    if (one == 0 || other == 0) {
      context.allMarkersTaken();
    }
  }
}
