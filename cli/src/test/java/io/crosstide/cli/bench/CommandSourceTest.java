package io.crosstide.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lettuce.core.api.async.RedisAsyncCommands;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandSourceTest {
  private static final int KEYS = 5;
  private static final int VALUE_BYTES = 16;
  private static final int WRITES = 20_000;
  private static final List<CommandKind> ALL = List.of(CommandKind.values());

  /** A command as it would be sent: its name, and arguments as text. */
  private record Sent(String name, List<String> arguments) {
    String key() {
      return arguments.get(0);
    }
  }

  private static List<Sent> sent(List<CommandKind> mix, String tag, long seed) {
    Load load = new Load(Load.MAX, Duration.ZERO, Duration.ZERO, mix, KEYS, VALUE_BYTES);
    CommandSource source = new CommandSource(load, tag, seed);
    List<Sent> sent = new ArrayList<>();
    @SuppressWarnings("unchecked")
    RedisAsyncCommands<byte[], byte[]> commands =
        (RedisAsyncCommands<byte[], byte[]>)
            Proxy.newProxyInstance(
                CommandSourceTest.class.getClassLoader(),
                new Class<?>[] {RedisAsyncCommands.class},
                (proxy, method, arguments) -> {
                  sent.add(new Sent(method.getName(), texts(arguments)));
                  return null;
                });
    for (int i = 0; i < WRITES; i++) {
      Object unused = source.next(commands);
    }
    return sent;
  }

  private static List<String> texts(Object[] arguments) {
    List<String> texts = new ArrayList<>();
    for (Object argument : arguments) {
      if (argument instanceof byte[][] several) {
        Arrays.stream(several).forEach(one -> texts.add(text(one)));
      } else {
        texts.add(argument instanceof byte[] one ? text(one) : argument.toString());
      }
    }
    return texts;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Test
  void everyWriteChangesSomething() {
    Map<String, String> values = new HashMap<>();
    Set<String> members = new HashSet<>();
    List<Sent> idle = new ArrayList<>();
    for (Sent one : sent(ALL, "us-east", 1)) {
      boolean changes =
          switch (one.name()) {
            case "incr" -> true;
            case "sadd" -> members.add(one.key() + " " + one.arguments().get(1));
            case "set" -> differs(values, one.key(), one.arguments().get(1));
            case "hset" ->
                differs(values, one.key() + " " + one.arguments().get(1), one.arguments().get(2));
            case "zadd" ->
                differs(values, one.key() + " " + one.arguments().get(2), one.arguments().get(1));
            default -> throw new AssertionError(one);
          };
      if (!changes) {
        idle.add(one);
      }
    }
    assertThat(idle).isEmpty();
  }

  private static boolean differs(Map<String, String> values, String place, String value) {
    return !value.equals(values.put(place, value));
  }

  @Test
  void aKindHasTheShareThatTheMixGivesIt() {
    Map<String, Double> shares = shares(sent(ALL, "us-east", 2));
    for (CommandKind kind : ALL) {
      assertThat(shares.get(kind.word())).as(kind.word()).isCloseTo(0.2, within(0.02));
    }
    List<CommandKind> mostlySet = List.of(CommandKind.SET, CommandKind.SET, CommandKind.INCR);
    assertThat(shares(sent(mostlySet, "us-east", 3)))
        .hasSize(2)
        .hasEntrySatisfying("set", share -> assertThat(share).isCloseTo(2 / 3.0, within(0.02)));
  }

  private static Map<String, Double> shares(List<Sent> sent) {
    Map<String, Double> shares = new HashMap<>();
    sent.forEach(one -> shares.merge(one.name(), 1.0 / sent.size(), Double::sum));
    return shares;
  }

  @Test
  void keysAreDrawnEvenlyAndNoKeyHasTwoTypes() {
    Map<String, Integer> counts = new HashMap<>();
    Set<String> kinds = new HashSet<>();
    for (Sent one : sent(ALL, "us-east", 4)) {
      kinds.add(one.name() + " " + one.key());
      counts.merge(one.key(), 1, Integer::sum);
    }
    assertThat(counts).hasSize(KEYS * ALL.size()).hasSameSizeAs(kinds);
    int mean = WRITES / counts.size();
    assertThat(counts.values())
        .allSatisfy(count -> assertThat(count).isBetween(mean / 2, mean * 2));
  }

  @Test
  void valuesHaveTheSizeAskedFor() {
    assertThat(
            sent(List.of(CommandKind.SET, CommandKind.HSET), "us-east", 5).stream()
                .map(one -> one.arguments().get(one.arguments().size() - 1).length())
                .distinct())
        .containsExactly(VALUE_BYTES);
  }

  @Test
  void writersInDifferentRegionsAddDifferentMembers() {
    Set<String> east = members(sent(List.of(CommandKind.SADD), "us-east", 6));
    Set<String> west = members(sent(List.of(CommandKind.SADD), "eu-west", 6));
    assertThat(east).hasSize(WRITES);
    assertThat(Collections.disjoint(east, west)).isTrue();
  }

  private static Set<String> members(List<Sent> sent) {
    Set<String> members = new HashSet<>();
    sent.forEach(one -> members.add(one.arguments().get(1)));
    return members;
  }
}
