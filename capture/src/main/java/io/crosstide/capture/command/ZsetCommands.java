package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Sorted sets. Redis shows {@code GEOADD} as {@code ZADD}, {@code ZMPOP} as {@code ZPOPMIN} or
 * {@code ZPOPMAX}; {@code ZADD} comes with its flags, and what it did to each member is decided
 * here as Redis decides it.
 */
final class ZsetCommands {
  private ZsetCommands() {}

  static void register(CommandTable table) {
    table.add("ZADD", ZsetCommands::add);
    table.add("ZINCRBY", ZsetCommands::increment);
    table.add("ZREM", (context, argv) -> Removal.run(context, argv, Change.ZsetRemove::new));
    table.add("ZPOPMIN", (context, argv) -> pop(context, argv, false));
    table.add("ZPOPMAX", (context, argv) -> pop(context, argv, true));
    table.add("ZREMRANGEBYSCORE", ZsetCommands::removeByScore);
    table.add("ZREMRANGEBYRANK", ZsetCommands::removeByRank);
    table.add("ZREMRANGEBYLEX", ZsetCommands::removeByLex);
  }

  /** What stands between key and scores of a ZADD. */
  private record Flags(boolean nx, boolean xx, boolean gt, boolean lt, boolean incr, int length) {
    static Flags parse(byte[][] argv) {
      boolean nx = false;
      boolean xx = false;
      boolean gt = false;
      boolean lt = false;
      boolean incr = false;
      int at = 2;
      for (; at < argv.length; at++) {
        switch (CommandTable.upperCase(argv[at])) {
          case "NX" -> nx = true;
          case "XX" -> xx = true;
          case "GT" -> gt = true;
          case "LT" -> lt = true;
          case "INCR" -> incr = true;
          case "CH" -> {
            // Concerns the reply only.
          }
          default -> {
            return new Flags(nx, xx, gt, lt, incr, at - 2);
          }
        }
      }
      return new Flags(nx, xx, gt, lt, incr, at - 2);
    }
  }

  private static void add(CommandContext context, byte[][] argv) {
    Flags flags = Flags.parse(argv);
    ShadowKey key = context.key(argv[1]);
    for (int i = 2 + flags.length(); i + 1 < argv.length; i += 2) {
      double score = Numbers.score(argv[i]);
      Bytes member = Bytes.wrap(argv[i + 1]);
      if (flags.incr()) {
        // It is in the stream, so its conditions held.
        addToScore(context, key, member, score);
      } else {
        put(context, key, member, score, flags);
      }
    }
  }

  private static void put(
      CommandContext context, ShadowKey key, Bytes member, double score, Flags flags) {
    double before = key.score(member);
    if (Double.isNaN(before)) {
      if (flags.xx() && key.exact()) {
        return;
      }
    } else {
      boolean refused =
          flags.nx() || (flags.gt() && score <= before) || (flags.lt() && score >= before);
      if (refused || score == before) {
        return;
      }
    }
    key.putScore(member, score);
    context.emit(key.redisKey(), new Change.ZsetPut(member, score));
  }

  private static void increment(CommandContext context, byte[][] argv) {
    addToScore(context, context.key(argv[1]), Bytes.wrap(argv[3]), Numbers.score(argv[2]));
  }

  private static void addToScore(
      CommandContext context, ShadowKey key, Bytes member, double delta) {
    double known = key.score(member);
    if (Double.isNaN(known) && !key.exact()) {
      context.leaveUnresolved(key);
      return;
    }
    double before = Double.isNaN(known) ? 0 : known;
    double after = Double.isNaN(known) ? delta : known + delta;
    key.putScore(member, after);
    context.emit(key.redisKey(), new Change.ZsetAdd(member, before, after));
  }

  private static void pop(CommandContext context, byte[][] argv, boolean highest) {
    ShadowKey key = context.key(argv[1]);
    if (notDerivable(context, key)) {
      return;
    }
    long count = argv.length > 2 ? Numbers.requireInteger(argv[2]) : 1;
    long deadline = key.deadlineMillis();
    try (ElementCursor members = key.byScore(highest)) {
      for (long i = 0; i < count && members.next(); i++) {
        Removal.one(context, key, members.name(), Change.ZsetRemove::new);
      }
    }
    context.afterRemoval(key, deadline);
  }

  private static void removeByScore(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (notDerivable(context, key)) {
      return;
    }
    boolean minOpen = argv[2][0] == '(';
    boolean maxOpen = argv[3][0] == '(';
    double min = Numbers.score(from(argv[2], minOpen));
    double max = Numbers.score(from(argv[3], maxOpen));
    long deadline = key.deadlineMillis();
    try (ElementCursor members = key.fromScore(min)) {
      while (members.next()) {
        double score = members.score();
        if (maxOpen ? score >= max : score > max) {
          break;
        }
        if (!minOpen || score > min) {
          Removal.one(context, key, members.name(), Change.ZsetRemove::new);
        }
      }
    }
    context.afterRemoval(key, deadline);
  }

  private static void removeByRank(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (notDerivable(context, key)) {
      return;
    }
    long size = key.count();
    long first = fromEnd(Numbers.requireInteger(argv[2]), size);
    long last = Math.min(fromEnd(Numbers.requireInteger(argv[3]), size), size - 1);
    long deadline = key.deadlineMillis();
    // Ranks shift as members go, so they are collected first; from the nearer end.
    boolean descending = size - 1 - last < first;
    long skip = descending ? size - 1 - last : Math.max(first, 0);
    long take = last - Math.max(first, 0) + 1;
    List<Bytes> names = new ArrayList<>();
    try (ElementCursor members = key.byScore(descending)) {
      for (long i = 0; names.size() < take && members.next(); i++) {
        if (i >= skip) {
          names.add(members.name());
        }
      }
    }
    if (descending) {
      Collections.reverse(names);
    }
    for (Bytes name : names) {
      Removal.one(context, key, name, Change.ZsetRemove::new);
    }
    context.afterRemoval(key, deadline);
  }

  static long fromEnd(long rank, long size) {
    return rank < 0 ? rank + size : rank;
  }

  /** Defined only while all members have one score; then order of score is order of name. */
  private static void removeByLex(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    if (notDerivable(context, key)) {
      return;
    }
    if (!hasOneScore(key)) {
      context.leaveUnresolved(key);
      return;
    }
    LexBound min = LexBound.parse(argv[2]);
    LexBound max = LexBound.parse(argv[3]);
    long deadline = key.deadlineMillis();
    try (ElementCursor members = key.elementsFrom(min.name())) {
      while (members.next() && max.isAtOrAbove(members.name())) {
        if (min.isAtOrBelow(members.name())) {
          Removal.one(context, key, members.name(), Change.ZsetRemove::new);
        }
      }
    }
    context.afterRemoval(key, deadline);
  }

  static boolean hasOneScore(ShadowKey key) {
    try (ElementCursor lowest = key.byScore(false);
        ElementCursor highest = key.byScore(true)) {
      return lowest.next() && highest.next() && lowest.score() == highest.score();
    }
  }

  private static byte[] from(byte[] argument, boolean withoutFirst) {
    return withoutFirst ? Arrays.copyOfRange(argument, 1, argument.length) : argument;
  }

  private static boolean notDerivable(CommandContext context, ShadowKey key) {
    if (key.exact()) {
      return false;
    }
    context.leaveUnresolved(key);
    return true;
  }
}
