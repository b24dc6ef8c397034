package io.crosstide.capture.command;

import static io.crosstide.capture.command.RandomCommands.argv;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All that a Redis holds, and its comparison with a shadow and with a model built from events. */
final class RedisComparison {
  private final Resp redis;
  private final boolean exactDeadlines;
  private final long deadlineTolerance;

  /** A key as read from Redis: values by element name; scores as text of the double. */
  record Value(char type, Map<Bytes, String> elements, long deadlineMillis) {}

  final Map<RedisKey, Value> contents = new TreeMap<>();

  /**
   * @param exactDeadlines the server has PEXPIRETIME and replicates absolute deadlines
   */
  RedisComparison(Resp redis, boolean exactDeadlines, int databases) {
    this.redis = redis;
    this.exactDeadlines = exactDeadlines;
    this.deadlineTolerance = exactDeadlines ? 0 : 500;
    for (int db = 0; db < databases; db++) {
      redis.text("SELECT", Integer.toString(db));
      for (byte[] name : redis.list(argv("KEYS", "*"))) {
        if (!RedisKey.isReserved(name)) {
          contents.put(new RedisKey(db, Bytes.wrap(name)), read(name));
        }
      }
    }
    redis.text("SELECT", "0");
  }

  private Value read(byte[] name) {
    String type = EventModel.latin(Bytes.wrap((byte[]) call("TYPE", name)));
    Map<Bytes, String> elements = new TreeMap<>();
    char tag =
        switch (type) {
          case "string" -> 's';
          case "hash" -> 'h';
          case "set" -> 'm';
          case "zset" -> 'z';
          case "list" -> 'l';
          case "stream" -> 'x';
          default -> '?';
        };
    switch (tag) {
      case 's' -> elements.put(Bytes.EMPTY, latin((byte[]) call("GET", name)));
      case 'h' -> pairs(redis.list(argv("HGETALL")[0], name), elements, false);
      case 'm' -> {
        for (byte[] member : redis.list(argv("SMEMBERS")[0], name)) {
          elements.put(Bytes.wrap(member), "");
        }
      }
      case 'z' ->
          pairs(
              redis.list(
                  argv("ZRANGE")[0], name, argv("0")[0], argv("-1")[0], argv("WITHSCORES")[0]),
              elements,
              true);
      case 'l' -> {
        for (byte[] value : redis.list(argv("LRANGE")[0], name, argv("0")[0], argv("-1")[0])) {
          elements.put(index(elements.size()), latin(value));
        }
      }
      case 'x' -> elements.putAll(StreamImage.of(redis, name));
      default -> {}
    }
    return new Value(tag, elements, deadline(name));
  }

  private static Bytes index(int at) {
    return Bytes.utf8(String.format("%08d", at));
  }

  private static void pairs(List<byte[]> flat, Map<Bytes, String> into, boolean scores) {
    for (int i = 0; i < flat.size(); i += 2) {
      String value =
          scores ? Double.toString(Numbers.score(flat.get(i + 1))) : latin(flat.get(i + 1));
      into.put(Bytes.wrap(flat.get(i)), value);
    }
  }

  private long deadline(byte[] name) {
    if (exactDeadlines) {
      return Math.max(0, (Long) call("PEXPIRETIME", name));
    }
    long left = (Long) call("PTTL", name);
    return left < 0 ? 0 : System.currentTimeMillis() + left;
  }

  private Object call(String command, byte[] name) {
    return Objects.requireNonNull(redis.call(argv(command)[0], name));
  }

  private static String latin(byte[] bytes) {
    return EventModel.latin(Bytes.wrap(bytes));
  }

  // ---- with a shadow ----

  /** What differs; of keys that the shadow says are not exact, nothing is compared. */
  List<String> differencesFrom(Shadow shadow) {
    List<String> differences = new ArrayList<>();
    Map<RedisKey, Value> missing = new TreeMap<>(contents);
    try (ShadowCursor keys = shadow.keys()) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        Value value = missing.remove(key.redisKey());
        if (key.exact()) {
          compare(key, value, differences);
        }
      }
    }
    missing.forEach((key, value) -> differences.add(key + ": not in the shadow: " + value));
    return differences;
  }

  private void compare(ShadowKey key, @Nullable Value value, List<String> differences) {
    if (value == null) {
      differences.add(key + ": not in Redis");
      return;
    }
    if (tag(key.type()) != value.type()) {
      differences.add(key + ": Redis has " + value);
      return;
    }
    compareDeadlines(key.redisKey(), key.deadlineMillis(), value.deadlineMillis(), differences);
    if (key.type() == ShadowType.STRING) {
      Content expected = content(Objects.requireNonNull(value.elements().get(Bytes.EMPTY)));
      Content known = key.content();
      if (known == null || !expected.equals(known)) {
        differences.add(key + ": " + key.content() + ", Redis has " + expected);
      }
      return;
    }
    if (key.type() == ShadowType.STREAM) {
      Map<Bytes, String> known = StreamImage.of(key);
      if (!known.equals(value.elements())) {
        differences.add(key + ": " + known + ", Redis has " + value);
      }
      return;
    }
    if (key.count() != value.elements().size()) {
      differences.add(key + ": Redis has " + value.elements().size() + " elements");
    }
    if (key.type() == ShadowType.LIST) {
      compareList(key, value, differences);
      return;
    }
    Map<Bytes, String> left = new TreeMap<>(value.elements());
    try (ElementCursor elements = key.elements()) {
      while (elements.next()) {
        String expected = left.remove(elements.name());
        boolean same =
            expected != null
                && switch (key.type()) {
                  case HASH -> content(expected).equals(elements.content());
                  case ZSET -> Double.parseDouble(expected) == elements.score();
                  default -> true;
                };
        if (!same) {
          differences.add(key + ": " + elements.name() + ", Redis has " + expected);
        }
      }
    }
    left.forEach((name, v) -> differences.add(key + ": " + name + " is not in the shadow"));
    compareOrder(key, differences);
  }

  private static void compareList(ShadowKey key, Value value, List<String> differences) {
    int at = 0;
    try (ElementCursor elements = key.elements()) {
      while (elements.next()) {
        String expected = value.elements().get(index(at++));
        if (expected == null || !content(expected).equals(elements.content())) {
          differences.add(
              key + ": " + elements.content() + " at " + (at - 1) + ", Redis has " + value);
          return;
        }
      }
    }
  }

  /** Compares lists by positions: every element of the shadow is one of the model, and in place. */
  static List<String> differencesOfLists(Shadow shadow, EventModel model) {
    List<String> differences = new ArrayList<>();
    model.types.forEach(
        (name, type) -> {
          ShadowKey key = shadow.key(name.db(), name.name());
          if (type == 'l' && key.exact()) {
            Map<Bytes, String> left = new TreeMap<>(Objects.requireNonNull(model.keys.get(name)));
            try (ShadowList.Walk walk = key.list().walk(false)) {
              for (ShadowList.Entry e = walk.next(); e != null; e = walk.next()) {
                String expected = left.remove(e.position());
                boolean known = model.misplaced.getOrDefault(name, Set.of()).contains(e.position());
                if (expected == null || !isContent(expected, e.content())) {
                  differences.add(name + ": " + e + ", events gave " + expected);
                } else if (e.isMisplaced() && !known) {
                  differences.add(name + ": " + e + " is misplaced, which nobody was told");
                }
              }
            }
            left.forEach((p, v) -> differences.add(name + ": " + p + " is not in the shadow"));
          }
        });
    return differences;
  }

  private static boolean isContent(String expected, Content content) {
    return expected.startsWith("sha1 ")
        ? EventModel.latin(content.sha1()).equals(expected.substring(5))
        : content(expected).equals(content);
  }

  private static void compareOrder(ShadowKey key, List<String> differences) {
    if (key.type() != ShadowType.ZSET) {
      return;
    }
    double last = Double.NEGATIVE_INFINITY;
    long count = 0;
    try (ElementCursor members = key.byScore(false)) {
      while (members.next()) {
        count++;
        if (members.score() < last) {
          differences.add(key + ": " + members.name() + " is out of order");
        }
        last = members.score();
      }
    }
    if (count != key.count()) {
      differences.add(key + ": " + count + " members by score");
    }
  }

  private static Content content(String latin) {
    return Content.of(Bytes.wrap(latin.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)));
  }

  private static char tag(ShadowType type) {
    return switch (type) {
      case STRING -> 's';
      case HASH -> 'h';
      case SET -> 'm';
      case ZSET -> 'z';
      case LIST -> 'l';
      case STREAM -> 'x';
      case OPAQUE, UNRESOLVED -> '?';
    };
  }

  // ---- with a model ----

  List<String> differencesFrom(EventModel model) {
    List<String> differences = new ArrayList<>();
    Map<RedisKey, Map<Bytes, String>> left = new TreeMap<>(model.keys);
    contents.forEach(
        (key, value) -> {
          Map<Bytes, String> elements = left.remove(key);
          Character type = model.types.get(key);
          if (elements == null || type == null || type != value.type()) {
            differences.add(key + ": events gave " + elements + ", Redis has " + value);
            return;
          }
          if (type == 'l') {
            compareList(key, value, elements, model, differences);
          } else if (!same(value, elements)) {
            differences.add(key + ": events gave " + elements + ", Redis has " + value);
          }
          compareDeadlines(
              key, model.deadlines.getOrDefault(key, 0L), value.deadlineMillis(), differences);
        });
    left.forEach((key, elements) -> differences.add(key + ": not in Redis: " + elements));
    model.deadlines.forEach(
        (key, deadline) -> {
          if (!contents.containsKey(key)) {
            differences.add(key + ": a deadline without a key");
          }
        });
    return differences;
  }

  /** In order, if every element is known to stand where it sorts. */
  private static void compareList(
      RedisKey key,
      Value value,
      Map<Bytes, String> elements,
      EventModel model,
      List<String> differences) {
    List<String> expected = new ArrayList<>(elements.values());
    List<String> actual = new ArrayList<>(value.elements().values());
    if (expected.stream().anyMatch(text -> text.startsWith("sha1 "))) {
      expected.replaceAll(text -> text.startsWith("sha1 ") ? text : sha1(text));
      actual.replaceAll(RedisComparison::sha1);
    }
    if (model.misplaced.getOrDefault(key, Set.of()).stream().anyMatch(elements::containsKey)) {
      Collections.sort(expected);
      Collections.sort(actual);
    }
    if (!expected.equals(actual)) {
      differences.add(key + ": events gave " + elements + ", Redis has " + value);
    }
  }

  private static String sha1(String text) {
    return "sha1 " + EventModel.latin(content(text).sha1());
  }

  private static boolean same(Value value, Map<Bytes, String> elements) {
    if (value.type() == 'x') {
      return StreamImage.shared(value.elements()).equals(StreamImage.ofModel(elements));
    }
    if (value.type() != 'z') {
      return value.elements().equals(elements);
    }
    return value.elements().keySet().equals(elements.keySet())
        && elements.entrySet().stream()
            .allMatch(
                entry ->
                    Double.parseDouble(entry.getValue())
                        == Double.parseDouble(value.elements().get(entry.getKey())));
  }

  private void compareDeadlines(RedisKey key, long known, long actual, List<String> differences) {
    boolean same =
        (known == 0 || actual == 0)
            ? known == actual
            : Math.abs(known - actual) <= deadlineTolerance;
    if (!same) {
      differences.add(key + ": deadline " + known + ", Redis has " + actual);
    }
  }
}
