package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.protocol.RedisKey;
import java.util.Arrays;
import java.util.function.Predicate;

/** {@code ZRANGESTORE}: a range of a sorted set by rank, score or name, in either order. */
final class RangeStore {
  private RangeStore() {}

  static void register(CommandTable table) {
    table.addOfKeys("ZRANGESTORE", RangeStore::run);
  }

  /** What follows the two keys and the ends of the range. */
  private record Options(
      boolean byScore, boolean byName, boolean descending, long skip, long take) {
    static Options parse(byte[][] argv) {
      boolean byScore = false;
      boolean byName = false;
      boolean descending = false;
      long skip = 0;
      long take = Long.MAX_VALUE;
      for (int i = 5; i < argv.length; i++) {
        switch (CommandTable.upperCase(argv[i])) {
          case "BYSCORE" -> byScore = true;
          case "BYLEX" -> byName = true;
          case "REV" -> descending = true;
          case "LIMIT" -> {
            skip = Numbers.requireInteger(argv[++i]);
            take = Numbers.requireInteger(argv[++i]);
          }
          default -> throw new IllegalArgumentException("ZRANGESTORE with an unknown option");
        }
      }
      if (skip < 0) {
        take = 0;
      } else if (take < 0) {
        take = Long.MAX_VALUE;
      }
      return new Options(byScore, byName, descending, skip, take);
    }
  }

  private static void run(CommandContext context, byte[][] argv) {
    if (context.takesReserved(argv[1])) {
      return;
    }
    Options options = Options.parse(argv);
    boolean isReserved = RedisKey.isReserved(argv[2]);
    ShadowKey source = isReserved ? null : context.key(argv[2]);
    boolean known =
        source != null
            && source.exact()
            && (!source.exists() || source.is(ShadowType.ZSET))
            // Among members of different scores, a range of names is what Redis happens to find.
            && !(options.byName() && source.exists() && !ZsetCommands.hasOneScore(source));
    if (source == null || !known) {
      KeyCommands.stored(context, context.key(argv[1]), 0);
      return;
    }
    StoredResult result = new StoredResult(context, ShadowType.ZSET);
    if (source.exists()) {
      if (options.byScore()) {
        byScore(source, argv, options, result);
      } else if (options.byName()) {
        byName(source, argv, options, result);
      } else {
        byRank(source, argv, options, result);
      }
    }
    result.store(argv[1]);
  }

  private static void byRank(
      ShadowKey source, byte[][] argv, Options options, StoredResult result) {
    long size = source.count();
    long first = Math.max(0, ZsetCommands.fromEnd(Numbers.requireInteger(argv[3]), size));
    long last = Math.min(size - 1, ZsetCommands.fromEnd(Numbers.requireInteger(argv[4]), size));
    try (ElementCursor members = source.byScore(options.descending())) {
      for (long rank = 0; rank <= last && members.next(); rank++) {
        if (rank >= first) {
          result.add(members.name(), members.score());
        }
      }
    }
  }

  private static void byScore(
      ShadowKey source, byte[][] argv, Options options, StoredResult result) {
    byte[] low = argv[options.descending() ? 4 : 3];
    byte[] high = argv[options.descending() ? 3 : 4];
    boolean lowOpen = low[0] == '(';
    boolean highOpen = high[0] == '(';
    double min = Numbers.score(lowOpen ? Arrays.copyOfRange(low, 1, low.length) : low);
    double max = Numbers.score(highOpen ? Arrays.copyOfRange(high, 1, high.length) : high);
    Predicate<ElementCursor> above =
        members -> lowOpen ? members.score() > min : members.score() >= min;
    Predicate<ElementCursor> below =
        members -> highOpen ? members.score() < max : members.score() <= max;
    if (options.descending()) {
      take(source.byScore(true), below, above, options, result);
    } else {
      take(source.fromScore(min), above, below, options, result);
    }
  }

  private static void byName(
      ShadowKey source, byte[][] argv, Options options, StoredResult result) {
    LexBound min = LexBound.parse(argv[options.descending() ? 4 : 3]);
    LexBound max = LexBound.parse(argv[options.descending() ? 3 : 4]);
    Predicate<ElementCursor> above = members -> min.isAtOrBelow(members.name());
    Predicate<ElementCursor> below = members -> max.isAtOrAbove(members.name());
    if (options.descending()) {
      take(source.byScore(true), below, above, options, result);
    } else {
      take(source.elementsFrom(min.name()), above, below, options, result);
    }
  }

  /**
   * Takes what {@code begun} lets in, until {@code goesOn} says no; of that, what the limit says.
   */
  private static void take(
      ElementCursor members,
      Predicate<ElementCursor> begun,
      Predicate<ElementCursor> goesOn,
      Options options,
      StoredResult result) {
    try (members) {
      long seen = 0;
      while (seen - options.skip() < options.take() && members.next() && goesOn.test(members)) {
        if (begun.test(members) && seen++ >= options.skip()) {
          result.add(members.name(), members.score());
        }
      }
    }
  }
}
