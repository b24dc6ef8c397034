package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import org.jspecify.annotations.Nullable;

/**
 * Lists. The shadow has them in Redis's order, so an index or a value tells which element a command
 * concerns, and neighbours give a new one its position. Redis shows what blocking commands and
 * {@code LMPOP} did as {@code LPOP}, {@code RPOP}, {@code LMOVE} or {@code RPOPLPUSH}.
 *
 * <p>What an effect of ours did to a list is told by its marker ({@link ListEchoes}); the commands
 * by which it did it are not looked at here.
 */
final class ListCommands {
  private static final String UNKNOWN =
      "changes of a list that holds an element too long are not replicated until it is deleted";

  private ListCommands() {}

  static void register(CommandTable table) {
    add(table, "LPUSH", (context, argv) -> push(context, argv, true));
    add(table, "LPUSHX", (context, argv) -> push(context, argv, true));
    add(table, "RPUSH", (context, argv) -> push(context, argv, false));
    add(table, "RPUSHX", (context, argv) -> push(context, argv, false));
    add(table, "LPOP", (context, argv) -> pop(context, argv, true));
    add(table, "RPOP", (context, argv) -> pop(context, argv, false));
    add(table, "LINSERT", ListCommands::insert);
    add(table, "LSET", ListCommands::set);
    add(table, "LREM", ListCommands::removeValue);
    add(table, "LTRIM", ListCommands::trim);
    for (String name : new String[] {"RPOPLPUSH", "BRPOPLPUSH"}) {
      table.addOfKeys(
          name, unlessEcho((context, argv) -> move(context, argv[1], argv[2], false, true)));
    }
    for (String name : new String[] {"LMOVE", "BLMOVE"}) {
      table.addOfKeys(
          name,
          unlessEcho(
              (context, argv) ->
                  move(context, argv[1], argv[2], isLeft(argv[3]), isLeft(argv[4]))));
    }
  }

  private static void add(CommandTable table, String name, CommandHandler handler) {
    table.add(name, unlessEcho(handler));
  }

  private static CommandHandler unlessEcho(CommandHandler handler) {
    return (context, argv) -> {
      if (context.isEcho()) {
        context.listEchoes().command(context, argv);
      } else {
        handler.handle(context, argv);
      }
    };
  }

  private static boolean isLeft(byte[] side) {
    return CommandTable.upperCase(side).equals("LEFT");
  }

  // ---- insertions ----

  private static void push(CommandContext context, byte[][] argv, boolean atHead) {
    ShadowKey key = context.key(argv[1]);
    if (isUnknown(context, key)) {
      return;
    }
    for (int i = 2; i < argv.length; i++) {
      if (!pushOne(context, key, Bytes.wrap(argv[i]), atHead)) {
        return;
      }
    }
  }

  private static boolean pushOne(
      CommandContext context, ShadowKey key, Bytes value, boolean atHead) {
    ShadowList.Entry end = atHead ? key.list().first() : key.list().last();
    return atHead
        ? insertBetween(context, key, null, end, value, Side.BEFORE_RIGHT)
        : insertBetween(context, key, end, null, value, Side.AFTER_LEFT);
  }

  private static void insert(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (isUnknown(context, key)) {
      return;
    }
    boolean before = CommandTable.upperCase(argv[2]).equals("BEFORE");
    ShadowList.Entry pivot = find(key, Content.of(Bytes.wrap(argv[3])));
    if (pivot == null) {
      context.mismatch(key);
      return;
    }
    ShadowList.Entry beside;
    try (ShadowList.Walk walk = key.list().walkFrom(pivot.place(), before)) {
      beside = walk.next();
    }
    Bytes value = Bytes.wrap(argv[4]);
    if (before) {
      insertBetween(context, key, beside, pivot, value, Side.BEFORE_RIGHT);
    } else {
      insertBetween(context, key, pivot, beside, value, Side.AFTER_LEFT);
    }
  }

  private static ShadowList.@Nullable Entry find(ShadowKey key, Content value) {
    try (ShadowList.Walk walk = key.list().walk(false)) {
      ShadowList.Entry entry = walk.next();
      while (entry != null && !entry.content().equals(value)) {
        entry = walk.next();
      }
      return entry;
    }
  }

  /** Returns whether the list can still be followed. */
  private static boolean insertBetween(
      CommandContext context,
      ShadowKey key,
      ShadowList.@Nullable Entry left,
      ShadowList.@Nullable Entry right,
      Bytes value,
      Side side) {
    RedisKey name = key.redisKey();
    Bytes before = left == null ? null : left.place();
    Bytes behind = right == null ? null : right.place();
    Bytes position =
        ListPosition.between(
            before, behind, context.config().origin(), context.nextSeq(name), side);
    if (ShadowList.isTooDeep(before, behind, position)) {
      context.leaveUnresolved(key);
      return false;
    }
    key.list().insert(before, behind, position, Content.of(value));
    if (!context.emit(name, new Change.ListPut(position, value))) {
      key.markUnknown(ShadowType.LIST);
      return false;
    }
    return true;
  }

  private static void set(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (isUnknown(context, key)) {
      return;
    }
    ShadowList.Entry entry = key.list().at(Numbers.requireInteger(argv[2]));
    Bytes value = Bytes.wrap(argv[3]);
    if (entry == null) {
      context.mismatch(key);
    } else {
      key.list().set(entry, Content.of(value));
      context.emit(key.redisKey(), new Change.ListPut(entry.position(), value));
    }
  }

  // ---- removals ----

  private static void pop(CommandContext context, byte[][] argv, boolean atHead) {
    ShadowKey key = context.key(argv[1]);
    if (!isUnknown(context, key)) {
      long deadline = key.deadlineMillis();
      take(context, key, atHead, argv.length > 2 ? Numbers.requireInteger(argv[2]) : 1);
      context.afterRemoval(key, deadline);
    }
  }

  private static void take(CommandContext context, ShadowKey key, boolean atHead, long count) {
    if (count == 1) {
      ShadowList.Entry end = atHead ? key.list().first() : key.list().last();
      if (end != null) {
        remove(context, key, end);
      }
      return;
    }
    try (ShadowList.Walk walk = key.list().walk(!atHead)) {
      for (long left = Math.min(count, key.count()); left > 0; left--) {
        ShadowList.Entry entry = walk.next();
        if (entry != null) {
          remove(context, key, entry);
        }
      }
    }
  }

  private static void remove(CommandContext context, ShadowKey key, ShadowList.Entry entry) {
    key.list().remove(entry);
    context.emit(key.redisKey(), new Change.ListRemove(entry.position()));
  }

  private static void removeValue(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (isUnknown(context, key)) {
      return;
    }
    long count = Numbers.requireInteger(argv[2]);
    Content value = Content.of(Bytes.wrap(argv[3]));
    long left = count == 0 ? Long.MAX_VALUE : Math.abs(count);
    long deadline = key.deadlineMillis();
    try (ShadowList.Walk walk = key.list().walk(count < 0)) {
      for (ShadowList.Entry entry = walk.next(); entry != null && left > 0; entry = walk.next()) {
        if (entry.content().equals(value)) {
          remove(context, key, entry);
          left--;
        }
      }
    }
    context.afterRemoval(key, deadline);
  }

  private static void trim(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (isUnknown(context, key)) {
      return;
    }
    long size = key.count();
    long start = fromHead(Numbers.requireInteger(argv[2]), size);
    long stop = Math.min(fromHead(Numbers.requireInteger(argv[3]), size), size - 1);
    long deadline = key.deadlineMillis();
    if (start > stop) {
      take(context, key, true, size);
    } else {
      take(context, key, true, Math.max(start, 0));
      take(context, key, false, size - 1 - stop);
    }
    context.afterRemoval(key, deadline);
  }

  private static long fromHead(long index, long size) {
    return index < 0 ? index + size : index;
  }

  // ---- from list to list ----

  private static void move(
      CommandContext context, byte[] source, byte[] target, boolean fromHead, boolean toHead) {
    boolean reservedSource = context.takesReserved(source);
    boolean reservedTarget = context.takesReserved(target);
    Bytes value = null;
    ShadowList.Entry moved = null;
    if (!reservedSource) {
      ShadowKey from = context.key(source);
      if (!isUnknown(context, from)) {
        moved = fromHead ? from.list().first() : from.list().last();
        value = moved == null ? null : moved.content().value();
      }
    }
    // Rotated within one list an element must not take the key's deadline along, if it is the only
    // one: it is put in before it is taken away.
    boolean rotated = !reservedSource && context.redisKey(source).equals(context.redisKey(target));
    if (moved != null && !rotated) {
      removeMoved(context, context.key(source), moved);
    }
    if (!reservedTarget) {
      ShadowKey to = context.key(target);
      if (value == null) {
        context.leaveUnresolved(to);
      } else if (!isUnknown(context, to)) {
        pushOne(context, to, value, toHead);
      }
    }
    if (moved != null && rotated && context.key(source).exact()) {
      removeMoved(context, context.key(source), moved);
    }
  }

  private static void removeMoved(CommandContext context, ShadowKey from, ShadowList.Entry moved) {
    long deadline = from.deadlineMillis();
    remove(context, from, moved);
    context.afterRemoval(from, deadline);
  }

  /**
   * Makes {@code target} a copy of a list, its elements at positions of their own: a position names
   * an element of one key. If not all of the list is known, the target is read back.
   */
  static void copy(CommandContext context, RedisKey source, RedisKey target) {
    ShadowKey from = context.shadow().key(source.db(), source.name());
    long deadline = from.deadlineMillis();
    if (!isWhole(from)) {
      KeyCommands.stored(context, context.shadow().key(target.db(), target.name()), deadline);
      return;
    }
    ShadowKey to = context.shadow().key(target.db(), target.name());
    if (to.exists()) {
      to.delete();
      context.emit(target, new Change.KeyDelete());
    }
    try (ElementCursor elements = context.shadow().key(source.db(), source.name()).elements()) {
      to = context.shadow().key(target.db(), target.name());
      boolean followed = true;
      while (followed && elements.next()) {
        Bytes value = elements.content().value();
        followed = value != null && pushOne(context, to, value, false);
      }
    }
    to.deadline(deadline);
    if (deadline != 0) {
      context.emit(target, new Change.DeadlineSet(deadline));
    }
  }

  /** Puts an element of a content that arrives in the stream behind the others. */
  static boolean append(CommandContext context, ShadowKey key, Bytes value) {
    return pushOne(context, key, value, false);
  }

  private static boolean isWhole(ShadowKey key) {
    if (!key.exact()) {
      return false;
    }
    try (ElementCursor elements = key.elements()) {
      while (elements.next()) {
        if (elements.content().isDigestOnly()) {
          return false;
        }
      }
      return true;
    }
  }

  /** Counts the command as not replicated if the list cannot be followed, and is not awaited. */
  private static boolean isUnknown(CommandContext context, ShadowKey key) {
    if (key.exact()) {
      return false;
    }
    if (!key.isUnresolved()) {
      context.unsupported(UNKNOWN);
    }
    return true;
  }
}
