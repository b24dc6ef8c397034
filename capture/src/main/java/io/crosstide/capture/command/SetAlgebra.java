package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleBinaryOperator;

/**
 * Unions, intersections and differences that are stored, computed from the shadow as Redis computes
 * them, rounding of scores included. If one of the inputs is not known, the result is read back.
 */
final class SetAlgebra {
  private enum Operation {
    UNION,
    INTER,
    DIFF
  }

  /** A set or sorted set, or nothing, and what its scores are multiplied by. */
  private record Input(Bytes name, long count, double weight) {}

  private SetAlgebra() {}

  static void register(CommandTable table) {
    table.addOfKeys("SUNIONSTORE", (context, argv) -> sets(context, argv, Operation.UNION));
    table.addOfKeys("SINTERSTORE", (context, argv) -> sets(context, argv, Operation.INTER));
    table.addOfKeys("SDIFFSTORE", (context, argv) -> sets(context, argv, Operation.DIFF));
    table.addOfKeys("ZUNIONSTORE", (context, argv) -> sortedSets(context, argv, Operation.UNION));
    table.addOfKeys("ZINTERSTORE", (context, argv) -> sortedSets(context, argv, Operation.INTER));
    table.addOfKeys("ZDIFFSTORE", (context, argv) -> sortedSets(context, argv, Operation.DIFF));
  }

  private static void sets(CommandContext context, byte[][] argv, Operation operation) {
    List<Input> inputs = new ArrayList<>();
    for (int i = 2; i < argv.length; i++) {
      inputs.add(input(context, argv[i], 1));
    }
    store(context, argv[1], ShadowType.SET, operation, inputs, (before, now) -> now);
  }

  private static void sortedSets(CommandContext context, byte[][] argv, Operation operation) {
    int count = (int) Numbers.requireInteger(argv[2]);
    double[] weights = new double[count];
    Arrays.fill(weights, 1);
    String aggregate = "SUM";
    for (int i = 3 + count; i < argv.length; i++) {
      switch (CommandTable.upperCase(argv[i])) {
        case "WEIGHTS" -> {
          for (int w = 0; w < count; w++) {
            weights[w] = Numbers.score(argv[++i]);
          }
        }
        case "AGGREGATE" -> aggregate = CommandTable.upperCase(argv[++i]);
        default -> throw new IllegalArgumentException("an option that ends no such command");
      }
    }
    List<Input> inputs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      inputs.add(input(context, argv[3 + i], weights[i]));
    }
    if (operation != Operation.DIFF) {
      // Redis adds up in this order. It does not say which of two of one size it takes first.
      inputs.sort(Comparator.comparingLong(Input::count));
      if (count > 2 && aggregate.equals("SUM") && someAreOfOneSize(inputs)) {
        if (!context.takesReserved(argv[1])) {
          KeyCommands.stored(context, context.key(argv[1]), 0);
        }
        return;
      }
    }
    store(context, argv[1], ShadowType.ZSET, operation, inputs, aggregation(aggregate));
  }

  private static boolean someAreOfOneSize(List<Input> inputs) {
    Set<Long> counts = new HashSet<>();
    return !inputs.stream().filter(input -> input.count() > 0).allMatch(i -> counts.add(i.count()));
  }

  /** As Redis has it: no number is smaller or greater than what is none. */
  private static DoubleBinaryOperator aggregation(String name) {
    return switch (name) {
      case "MIN" -> (before, now) -> now < before ? now : before;
      case "MAX" -> (before, now) -> now > before ? now : before;
      default -> (before, now) -> orZero(before + now);
    };
  }

  /** What Redis makes of infinity less infinity, and of infinity times zero. */
  private static double orZero(double score) {
    return Double.isNaN(score) ? 0 : score;
  }

  private static Input input(CommandContext context, byte[] name, double weight) {
    boolean known = !RedisKey.isReserved(name) && isKnown(context.key(name));
    return new Input(Bytes.wrap(name), known ? context.key(name).count() : -1, weight);
  }

  private static boolean isKnown(ShadowKey key) {
    return key.exact() && (!key.exists() || key.is(ShadowType.SET) || key.is(ShadowType.ZSET));
  }

  private static void store(
      CommandContext context,
      byte[] target,
      ShadowType type,
      Operation operation,
      List<Input> inputs,
      DoubleBinaryOperator aggregate) {
    if (context.takesReserved(target)) {
      return;
    }
    if (inputs.stream().anyMatch(input -> input.count() < 0)) {
      KeyCommands.stored(context, context.key(target), 0);
      return;
    }
    StoredResult result = new StoredResult(context, type, aggregate);
    switch (operation) {
      case UNION -> {
        for (Input input : inputs) {
          walk(context, input, (member, score) -> result.add(member, orZero(score)));
        }
      }
      case INTER -> intersect(context, inputs, aggregate, result);
      case DIFF -> {
        List<Input> others = inputs.subList(1, inputs.size());
        walk(
            context,
            inputs.get(0),
            (member, score) -> {
              if (others.stream().noneMatch(other -> holds(context, other, member))) {
                result.add(member, score);
              }
            });
      }
    }
    result.store(target);
  }

  private static void intersect(
      CommandContext context,
      List<Input> inputs,
      DoubleBinaryOperator aggregate,
      StoredResult result) {
    List<Input> smallestFirst = new ArrayList<>(inputs);
    smallestFirst.sort(Comparator.comparingLong(Input::count));
    walk(
        context,
        smallestFirst.get(0),
        (member, score) -> {
          double sum = orZero(score);
          for (Input other : smallestFirst.subList(1, smallestFirst.size())) {
            if (!holds(context, other, member)) {
              return;
            }
            sum = aggregate.applyAsDouble(sum, other.weight() * score(context, other, member));
          }
          result.add(member, sum);
        });
  }

  private interface Visitor {
    void member(Bytes member, double score);
  }

  /** Shows the members of {@code input} with their weighted scores; of a set each counts 1. */
  private static void walk(CommandContext context, Input input, Visitor visitor) {
    ShadowKey key = context.shadow().key(context.db(), input.name());
    boolean scored = key.is(ShadowType.ZSET);
    try (ElementCursor members = key.elements()) {
      while (members.next()) {
        visitor.member(members.name(), input.weight() * (scored ? members.score() : 1));
      }
    }
  }

  private static double score(CommandContext context, Input input, Bytes member) {
    ShadowKey key = context.shadow().key(context.db(), input.name());
    return key.is(ShadowType.SET) ? 1 : key.score(member);
  }

  private static boolean holds(CommandContext context, Input input, Bytes member) {
    ShadowKey key = context.shadow().key(context.db(), input.name());
    return key.is(ShadowType.SET) ? key.hasMember(member) : !Double.isNaN(key.score(member));
  }
}
