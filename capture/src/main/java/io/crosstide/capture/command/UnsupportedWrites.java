package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import java.util.List;

/**
 * Write commands that are recognised but not replicated yet: each is counted under its name, and
 * the shadow forgets what it can no longer know of the keys concerned.
 */
final class UnsupportedWrites {
  private static final String LISTS = "lists are not replicated yet";
  private static final String STREAMS = "streams are not replicated yet";
  private static final String HYPERLOGLOGS = "HyperLogLogs are not replicated yet";
  private static final String PART_OF_STRING =
      "a change of part of a string is not replicated; the key differs until it is next SET or"
          + " deleted";
  private static final String RESULT =
      "the key in which it stores its result is not replicated; it differs until it is next"
          + " replaced or deleted";
  private static final String REWRITTEN =
      "Redis is expected to replicate this command as its effects; the key differs until it is next"
          + " replaced or deleted";

  private UnsupportedWrites() {}

  static void register(CommandTable table) {
    for (String name :
        List.of(
            "LPUSH", "RPUSH", "LPUSHX", "RPUSHX", "LPOP", "RPOP", "LINSERT", "LSET", "LREM",
            "LTRIM", "BLPOP", "BRPOP")) {
      touches(table, name, ShadowType.OPAQUE, LISTS, 1);
    }
    for (String name : List.of("RPOPLPUSH", "BRPOPLPUSH", "LMOVE", "BLMOVE")) {
      touches(table, name, ShadowType.OPAQUE, LISTS, 1, 2);
    }
    for (String name : List.of("XADD", "XDEL", "XTRIM", "XSETID", "XACK", "XCLAIM", "XAUTOCLAIM")) {
      touches(table, name, ShadowType.OPAQUE, STREAMS, 1);
    }
    touches(table, "XGROUP", ShadowType.OPAQUE, STREAMS, 2);
    touches(table, "PFADD", ShadowType.STRING, HYPERLOGLOGS, 1);
    touches(table, "PFMERGE", ShadowType.STRING, HYPERLOGLOGS, 1);
    touches(table, "PFCOUNT", ShadowType.STRING, HYPERLOGLOGS, 1);
    for (String name : List.of("APPEND", "SETRANGE", "SETBIT", "BITFIELD")) {
      touches(table, name, ShadowType.STRING, PART_OF_STRING, 1);
    }
    for (String name : List.of("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE")) {
      replaces(table, name, ShadowType.SET, 1);
    }
    for (String name :
        List.of("ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE", "ZRANGESTORE", "GEOSEARCHSTORE")) {
      replaces(table, name, ShadowType.ZSET, 1);
    }
    replaces(table, "BITOP", ShadowType.STRING, 2);
    table.addOfKeys("SORT", (context, argv) -> storesAfterWord(context, argv, "STORE"));
    table.addOfKeys("GEORADIUS", UnsupportedWrites::geoRadius);
    table.addOfKeys("GEORADIUSBYMEMBER", UnsupportedWrites::geoRadius);
    table.add("RESTORE", UnsupportedWrites::restore);
    touches(table, "INCRBYFLOAT", ShadowType.STRING, REWRITTEN, 1);
    touches(table, "HINCRBYFLOAT", ShadowType.HASH, REWRITTEN, 1);
    touches(table, "SPOP", ShadowType.SET, REWRITTEN, 1);
    touches(table, "GETEX", ShadowType.STRING, REWRITTEN, 1);
    touches(table, "GEOADD", ShadowType.ZSET, REWRITTEN, 1);
    table.addOfKeys("EVAL", UnsupportedWrites::script);
    table.addOfKeys("EVALSHA", UnsupportedWrites::script);
    table.addOfKeys("FCALL", UnsupportedWrites::script);
    table.addOfKeys(
        "PUBLISH",
        (context, argv) -> context.unsupported("messages are not delivered in other regions yet"));
    table.addOfKeys(
        "SPUBLISH",
        (context, argv) -> context.unsupported("messages are not delivered in other regions yet"));
  }

  /** A command that changes something in keys, at these arguments, which keep their deadline. */
  private static void touches(
      CommandTable table, String name, ShadowType type, String consequence, int... keys) {
    table.addOfKeys(
        name,
        (context, argv) -> {
          context.unsupported(consequence);
          for (int at : keys) {
            if (at < argv.length && !context.takesReserved(argv[at])) {
              context.key(argv[at]).markUnknown(type);
            }
          }
        });
  }

  /** A command that replaces a key, or deletes it when its result is empty. */
  private static void replaces(CommandTable table, String name, ShadowType type, int at) {
    table.addOfKeys(name, (context, argv) -> replaced(context, argv[at], type));
  }

  private static void replaced(CommandContext context, byte[] name, ShadowType type) {
    context.unsupported(RESULT);
    if (!context.takesReserved(name)) {
      ShadowKey key = context.key(name);
      key.delete();
      key.markUnknown(type);
    }
  }

  private static void geoRadius(CommandContext context, byte[][] argv) {
    storesAfterWord(context, argv, "STORE");
    storesAfterWord(context, argv, "STOREDIST");
  }

  private static void storesAfterWord(CommandContext context, byte[][] argv, String word) {
    for (int i = 2; i + 1 < argv.length; i++) {
      if (CommandTable.upperCase(argv[i]).equals(word)) {
        replaced(context, argv[i + 1], ShadowType.OPAQUE);
      }
    }
  }

  private static void restore(CommandContext context, byte[][] argv) {
    replaced(context, argv[1], ShadowType.OPAQUE);
    long ttl = Numbers.requireInteger(argv[2]);
    boolean absolute = false;
    for (int i = 4; i < argv.length; i++) {
      absolute |= CommandTable.upperCase(argv[i]).equals("ABSTTL");
    }
    if (ttl != 0) {
      context.key(argv[1]).deadline(absolute ? ttl : context.nowMillis() + ttl);
    }
  }

  /** Only a Redis told not to replicate effects shows scripts; what they did is unknown. */
  private static void script(CommandContext context, byte[][] argv) {
    context.unsupported(
        "a script replicated as such cannot be followed: set lua-replicate-commands to yes");
    long keys = argv.length > 2 ? Numbers.requireInteger(argv[2]) : 0;
    for (int i = 3; i < 3 + keys && i < argv.length; i++) {
      if (!context.takesReserved(argv[i])) {
        context.key(argv[i]).markOpaque();
      }
    }
  }
}
