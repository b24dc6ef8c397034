package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A random effect on a list as the Lua function writes it: what it tells of it, and its commands.
 * Some meet another element than the one meant, or insert where the position does not belong.
 */
record RandomListEffect(RedisKey key, String payload, List<String[]> commands) {
  private static final Origin OTHER = Origin.of(2);

  /**
   * Null if there is nothing to do on this key.
   *
   * @param write number of a position, not used before
   */
  static @Nullable RandomListEffect of(RandomCommands commands, ShadowKey key, long write) {
    Random random = commands.random();
    if (!key.exact() || (key.exists() && !key.is(ShadowType.LIST)) || key.deadlineMillis() != 0) {
      return null;
    }
    List<ShadowList.Entry> entries = new ArrayList<>();
    try (ShadowList.Walk walk = key.list().walk(false)) {
      for (ShadowList.Entry e = walk.next(); e != null; e = walk.next()) {
        if (e.content().isDigestOnly()) {
          return null;
        }
        entries.add(e);
      }
    }
    int size = entries.size();
    char op = size == 0 ? 'i' : "iiirrsp".charAt(random.nextInt(7));
    int at = random.nextInt(op == 'i' ? size + 1 : size);
    Bytes position = position(random, op, entries, at, write);
    int length = op == 'i' ? size + 1 : size;
    int index = random.nextBoolean() ? at : at - length;
    String name = key.name().text();
    String value = commands.listValue();
    List<String[]> parts =
        switch (op) {
          case 'i' -> insertion(random, name, entries, at, value);
          case 'r' -> removal(random, name, size, at);
          case 's' -> List.<String[]>of(new String[] {"LSET", name, "" + at, value});
          default -> List.of();
        };
    byte[] payload = Lists.payload(op, key.db(), name, index, position);
    return new RandomListEffect(
        key.redisKey(), new String(payload, StandardCharsets.ISO_8859_1), parts);
  }

  private static Bytes position(
      Random random, char op, List<ShadowList.Entry> entries, int at, long write) {
    int dice = random.nextInt(10);
    if (op != 'i') {
      return dice == 0
          ? between(null, null, write)
          : entries.get(dice < 6 ? at : random.nextInt(entries.size())).position();
    }
    if (dice == 0 && !entries.isEmpty()) {
      return entries.get(random.nextInt(entries.size())).position();
    }
    int place = dice < 7 ? at : random.nextInt(entries.size() + 1);
    return between(
        place == 0 ? null : entries.get(place - 1).place(),
        place == entries.size() ? null : entries.get(place).place(),
        write);
  }

  private static Bytes between(@Nullable Bytes left, @Nullable Bytes right, long write) {
    return ListPosition.between(left, right, OTHER, write, Side.AFTER_LEFT);
  }

  private static List<String[]> insertion(
      Random random, String key, List<ShadowList.Entry> entries, int at, String value) {
    List<String> words = new ArrayList<>();
    int size = entries.size();
    if (at == size || (at > 0 && random.nextInt(3) == 0)) {
      words.addAll(List.of("RPUSH", key, value));
      for (int i = at; i < size; i++) {
        words.add(text(entries.get(i).content()));
      }
      return popped(at == size ? null : new String[] {"RPOP", key, "" + (size - at)}, words);
    }
    if (at == 0 || random.nextBoolean()) {
      words.addAll(List.of("LPUSH", key, value));
      for (int i = at - 1; i >= 0; i--) {
        words.add(text(entries.get(i).content()));
      }
      return popped(at == 0 ? null : new String[] {"LPOP", key, "" + at}, words);
    }
    return List.of(
        new String[] {"LSET", key, "" + at, "token"},
        new String[] {"LINSERT", key, "BEFORE", "token", value},
        new String[] {"LSET", key, "" + (at + 1), text(entries.get(at).content())});
  }

  private static List<String[]> popped(String @Nullable [] pop, List<String> push) {
    String[] words = push.toArray(new String[0]);
    return pop == null ? List.<String[]>of(words) : List.of(pop, words);
  }

  private static List<String[]> removal(Random random, String key, int size, int at) {
    if (at == 0 || at == size - 1) {
      return List.<String[]>of(new String[] {at == 0 ? "LPOP" : "RPOP", key});
    }
    return List.of(
        new String[] {"LSET", key, "" + at, "token"},
        new String[] {"LREM", key, random.nextBoolean() ? "1" : "-1", "token"});
  }

  private static String text(Content content) {
    return EventModel.latin(Objects.requireNonNull(content.value()));
  }

  /** What the stream tells of an effect, read independently of the interpreter. */
  record Told(char op, RedisKey key, Bytes position) {
    static Told parse(byte[] payload) {
      String text = new String(payload, StandardCharsets.ISO_8859_1);
      String[] words = text.split(" ", 5);
      int length = Integer.parseInt(words[3]);
      byte[] rest = words[4].getBytes(StandardCharsets.ISO_8859_1);
      return new Told(
          words[0].charAt(0),
          new RedisKey(
              Integer.parseInt(words[1]), Bytes.wrap(java.util.Arrays.copyOf(rest, length))),
          Bytes.wrap(java.util.Arrays.copyOfRange(rest, length, rest.length)));
    }

    /** Whether the command is of no interest: it does not show the value, or it was seen. */
    boolean isIgnored(String command) {
      return switch (command) {
        case "LPUSH", "RPUSH", "LINSERT" -> op != 'i';
        case "LSET" -> op != 's';
        case "LPOP", "RPOP", "LREM" -> true;
        default -> false;
      };
    }

    Told done() {
      return new Told('-', key, position);
    }
  }
}
