package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.util.List;

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
    table.addWhole("PEXPIREAT", (context, argv) -> expire(context, argv, 1, true));
    table.addWhole("EXPIREAT", (context, argv) -> expire(context, argv, 1000, true));
    table.addWhole("PEXPIRE", (context, argv) -> expire(context, argv, 1, false));
    table.addWhole("EXPIRE", (context, argv) -> expire(context, argv, 1000, false));
    table.addWhole("PERSIST", KeyCommands::persist);
    table.addOfKeys("RENAME", KeyCommands::rename);
    table.addOfKeys("RENAMENX", KeyCommands::rename);
    table.addOfKeys("COPY", KeyCommands::copy);
    table.addOfKeys("MOVE", KeyCommands::move);
    table.addOfKeys("FLUSHDB", KeyCommands::flushDb);
    table.addOfKeys("FLUSHALL", KeyCommands::flushAll);
    table.addOfKeys("SWAPDB", KeyCommands::swap);
    table.addWhole("RESTORE", KeyCommands::restore);
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
      if (!context.takesReserved(argv[2])) {
        stored(context, context.key(argv[2]), 0);
      }
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
    if (from.is(ShadowType.LIST)) {
      ListCommands.copy(context, from.redisKey(), new RedisKey(context.db(), target));
      context.key(argv[1]).delete();
      context.emit(new RedisKey(context.db(), source), new Change.KeyDelete());
      return;
    }
    boolean isWhole = hasWholeContents(from);
    if (isWhole) {
      emitContents(context, from, context.db(), target);
    }
    context.emit(new RedisKey(context.db(), source), new Change.KeyDelete());
    context.shadow().rename(context.db(), source, target);
    if (!isWhole) {
      context.leaveUnresolved(context.shadow().key(context.db(), target));
    }
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
      source.delete();
      context.emit(source.redisKey(), new Change.KeyDelete());
    }
  }

  private static void copyTo(CommandContext context, byte[] source, int targetDb, byte[] target) {
    if (context.takesReserved(targetDb, target)) {
      return;
    }
    Bytes targetName = Bytes.wrap(target);
    if (RedisKey.isReserved(source)) {
      stored(context, context.shadow().key(targetDb, targetName), 0);
      return;
    }
    ShadowKey from = context.key(source);
    if (from.is(ShadowType.LIST)) {
      RedisKey to = new RedisKey(targetDb, targetName);
      ListCommands.copy(context, from.redisKey(), to);
    } else if (hasWholeContents(from)) {
      emitContents(context, from, targetDb, targetName);
      context.shadow().copy(context.db(), Bytes.wrap(source), targetDb, targetName);
    } else {
      long deadline = from.deadlineMillis();
      stored(context, context.shadow().key(targetDb, targetName), deadline);
    }
  }

  /** The key was replaced by what is not kept here. */
  static void stored(CommandContext context, ShadowKey key, long deadlineMillis) {
    key.delete();
    context.leaveUnresolved(key);
    key.deadline(deadlineMillis);
  }

  /** Whether the shadow has every byte of the key. */
  static boolean hasWholeContents(ShadowKey key) {
    if (!key.exists() || !key.exact()) {
      return false;
    }
    return switch (key.type()) {
      case STRING -> {
        Content content = key.content();
        yield content != null && !content.isDigestOnly();
      }
      case HASH, LIST -> hasWholeFields(key);
      case SET, ZSET -> true;
      case STREAM, OPAQUE, UNRESOLVED -> false;
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
    boolean replaces =
        !from.is(ShadowType.STRING) && context.shadow().key(targetDb, targetName).exists();
    if (replaces) {
      context.emit(target, new Change.KeyDelete());
    }
    emitElements(context, context.shadow().key(source.db(), source.name()), target);
  }

  /** Emits for {@code target}, which holds nothing else, what {@code from} holds. */
  private static void emitElements(CommandContext context, ShadowKey from, RedisKey target) {
    if (from.is(ShadowType.STRING)) {
      Content content = from.content();
      Bytes value = content == null ? null : content.value();
      if (value != null) {
        context.emit(target, new Change.StringSet(value, from.deadlineMillis(), false));
      }
      return;
    }
    try (ElementCursor elements = from.elements()) {
      while (elements.next()) {
        Bytes value = elements.content().value();
        context.emitMaking(
            target,
            switch (from.type()) {
              case HASH -> new Change.HashPut(elements.name(), value == null ? Bytes.EMPTY : value);
              case ZSET -> new Change.ZsetPut(elements.name(), elements.score());
              default -> new Change.SetAdd(elements.name());
            });
      }
    }
    if (from.deadlineMillis() != 0) {
      context.emit(target, new Change.DeadlineSet(from.deadlineMillis()));
    }
  }

  private static void flushDb(CommandContext context, byte[][] argv) {
    flush(context, List.of(context.db()));
    if (context.db() == 0) {
      context.allMarkersTaken();
    }
  }

  private static void flushAll(CommandContext context, byte[][] argv) {
    flush(context, context.shadow().databases());
    context.allMarkersTaken();
  }

  private static void flush(CommandContext context, List<Integer> databases) {
    FlushPolicy policy = context.config().flush();
    if (policy == FlushPolicy.HALT) {
      throw new FlushRefusedException(
          "a client sent "
              + context.command()
              + ", and policies.flush is halt: this region's Redis is emptied, nothing was deleted"
              + " elsewhere. To have the other regions delete what this one held, set policies.flush"
              + " to replicate, else to local, and start capture again: it goes on with this"
              + " command. It can be set to halt again after that");
    }
    for (int db : databases) {
      if (policy == FlushPolicy.REPLICATE) {
        try (ShadowCursor keys = context.shadow().keys(db)) {
          for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
            context.emit(key.redisKey(), new Change.KeyDelete());
          }
        }
      } else {
        context.local();
      }
      context.shadow().clear(db);
    }
  }

  private static void restore(CommandContext context, byte[][] argv) {
    long ttl = Numbers.requireInteger(argv[2]);
    boolean absolute = false;
    for (int i = 4; i < argv.length; i++) {
      absolute |= CommandTable.upperCase(argv[i]).equals("ABSTTL");
    }
    long deadline = ttl == 0 || absolute ? ttl : context.nowMillis() + ttl;
    stored(context, context.key(argv[1]), deadline);
  }

  /**
   * What one database held, the other holds now. Walked key by key after the exchange; what is not
   * kept here is read back.
   */
  private static void swap(CommandContext context, byte[][] argv) {
    int one = (int) Numbers.requireInteger(argv[1]);
    int other = (int) Numbers.requireInteger(argv[2]);
    if (one != other) {
      context.shadow().swap(one, other);
      exchanged(context, one, other);
      exchanged(context, other, one);
      context.unresolvedMoved();
    }
    if (one == 0 || other == 0) {
      context.allMarkersTaken();
    }
  }

  /** Emits what {@code db} gained and what it lost to {@code other}. */
  private static void exchanged(CommandContext context, int db, int other) {
    Shadow shadow = context.shadow();
    try (ShadowCursor gained = shadow.keys(db)) {
      for (ShadowKey key = gained.next(); key != null; key = gained.next()) {
        Bytes name = key.name();
        if (shadow.key(other, name).exists()) {
          context.emit(new RedisKey(db, name), new Change.KeyDelete());
        }
        ShadowKey again = shadow.key(db, name);
        if (hasWholeContents(again) && !again.is(ShadowType.LIST)) {
          emitElements(context, again, again.redisKey());
        } else {
          context.leaveUnresolved(again);
        }
      }
    }
    try (ShadowCursor lost = shadow.keys(other)) {
      for (ShadowKey key = lost.next(); key != null; key = lost.next()) {
        Bytes name = key.name();
        if (!shadow.key(db, name).exists()) {
          context.emit(new RedisKey(db, name), new Change.KeyDelete());
        }
      }
    }
  }
}
