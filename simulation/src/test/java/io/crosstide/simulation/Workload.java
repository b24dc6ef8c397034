package io.crosstide.simulation;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.simulation.SimRedis.KeyChange;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Random commands over few keys and elements, so that conflicts are common. Values are never
 * repeated, except for set members, which have no value.
 */
final class Workload {
  private static final List<ElementKind> KINDS =
      List.of(
          ElementKind.STRING,
          ElementKind.HASH_FIELD,
          ElementKind.SET_MEMBER,
          ElementKind.ZSET_MEMBER);
  private static final String PADDING = new String(new char[Content.INLINE_MAX]);
  private static final String[] NAMES = {"a", "b"};

  private final Random random;
  private final int keys;
  private final boolean deadlines;
  private final boolean mixedTypes;
  private boolean hot;
  private boolean lists;
  private boolean talks;
  private final boolean longValues;
  private long unique;

  /**
   * @param longValues some values are too long to be kept: they are known by digest only
   */
  Workload(Random random, int keys, boolean deadlines, boolean mixedTypes, boolean longValues) {
    this.longValues = longValues;
    this.mixedTypes = mixedTypes;
    this.random = random;
    this.keys = keys;
    this.deadlines = deadlines;
  }

  /** From now on most commands are about lists. */
  void withLists() {
    lists = true;
  }

  private RedisKey listKey() {
    return mixedTypes ? anyKey() : RedisKey.of(0, "l" + random.nextInt(2));
  }

  /** Mostly one of few, so that a list has equal elements. */
  private Bytes listValue() {
    return random.nextInt(3) == 0 ? text() : Bytes.utf8("e" + random.nextInt(3));
  }

  /** From now on most commands are increments. */
  void heat() {
    hot = true;
  }

  /** From now on clients publish messages as well, no two the same. */
  void talk() {
    talks = true;
  }

  RedisKey anyKey() {
    return RedisKey.of(random.nextInt(8) == 0 ? 1 : 0, "k" + random.nextInt(keys));
  }

  /**
   * One command or transaction that a client of {@code redis} could run now; empty if the one drawn
   * would change nothing.
   */
  List<KeyChange> next(SimRedis redis, long now) {
    if (lists && random.nextInt(3) > 0) {
      RedisKey key = listKey();
      redis.expireIfDue(key);
      ElementKind kind = redis.kind(key);
      if (kind == null || kind == ElementKind.LIST_ELEMENT) {
        return random.nextInt(40) == 0 && kind != null
            ? List.of(new KeyChange(key, new Change.KeyDelete()))
            : new ListCommands(random, redis, key, this::listValue).next();
      }
    }
    if (talks && random.nextInt(4) == 0) {
      Change message = new Change.Publish(Bytes.utf8("m" + ++unique), random.nextBoolean());
      return List.of(new KeyChange(RedisKey.of(0, "channel" + random.nextInt(2)), message));
    }
    boolean counts = hot && random.nextInt(16) > 0;
    if (!counts && random.nextInt(10) == 0) {
      return transaction(redis);
    }
    RedisKey key = anyKey();
    redis.expireIfDue(key);
    Change change = counts ? increment(redis, key) : command(redis, key, now);
    return change == null ? List.of() : List.of(new KeyChange(key, change));
  }

  private List<KeyChange> transaction(SimRedis redis) {
    List<KeyChange> changes = new ArrayList<>();
    int first = random.nextInt(keys);
    for (int i = 0; i < 2 && i < keys; i++) {
      RedisKey key = RedisKey.of(0, "k" + (first + i) % keys);
      redis.expireIfDue(key);
      ElementKind kind = redis.kind(key);
      if (kind == ElementKind.HASH_FIELD
          || (kind == null && (mixedTypes || home(key) == ElementKind.HASH_FIELD))) {
        changes.add(new KeyChange(key, new Change.HashPut(name(), text())));
      } else if (kind == ElementKind.STRING) {
        changes.add(new KeyChange(key, new Change.StringSet(text(), 0, false)));
      }
    }
    return changes;
  }

  private @Nullable Change increment(SimRedis redis, RedisKey key) {
    ElementKind present = redis.kind(key);
    ElementKind kind = present != null ? present : home(key);
    Bytes name = Bytes.utf8(NAMES[0]);
    long delta = delta();
    return switch (kind) {
      case STRING ->
          isInteger(redis, Element.string(key), delta)
              ? new Change.StringAdd(BigDecimal.valueOf(delta), null)
              : null;
      case HASH_FIELD ->
          isInteger(redis, new Element(key, kind, name), delta)
              ? new Change.HashAdd(name, BigDecimal.valueOf(delta), null)
              : null;
      case ZSET_MEMBER -> {
        Content now = redis.look(new Element(key, kind, name));
        double from = now.value() == null ? 0 : Content.parseScore(now.value().text());
        yield new Change.ZsetAdd(name, from, from + delta);
      }
      default -> null;
    };
  }

  private @Nullable Change command(SimRedis redis, RedisKey key, long now) {
    ElementKind present = redis.kind(key);
    if (present != null && random.nextInt(12) == 0) {
      return new Change.KeyDelete();
    }
    if (present != null && deadlines && random.nextInt(8) == 0) {
      return deadline(redis, key, now);
    }
    if (mixedTypes && random.nextInt(10) == 0) {
      return set(now);
    }
    ElementKind kind = present != null ? present : home(key);
    return switch (kind) {
      case STRING -> string(redis, key, now);
      case HASH_FIELD -> hash(redis, key);
      case SET_MEMBER -> member(redis, key);
      case ZSET_MEMBER -> score(redis, key);
      case LIST_ELEMENT, STREAM, DEADLINE -> null;
    };
  }

  private ElementKind home(RedisKey key) {
    if (mixedTypes && random.nextInt(5) == 0) {
      return KINDS.get(random.nextInt(4));
    }
    return KINDS.get(key.name().at(1) % 4);
  }

  private @Nullable Change deadline(SimRedis redis, RedisKey key, long now) {
    if (random.nextInt(4) == 0) {
      return redis.look(Element.deadline(key)).isAbsent() ? null : new Change.DeadlinePersist();
    }
    return new Change.DeadlineSet(uniqueDeadline(now));
  }

  private Change set(long now) {
    long deadline = deadlines && random.nextInt(4) == 0 ? uniqueDeadline(now) : 0;
    return new Change.StringSet(random.nextBoolean() ? number() : text(), deadline, false);
  }

  private @Nullable Change string(SimRedis redis, RedisKey key, long now) {
    if (random.nextInt(3) == 0) {
      return set(now);
    }
    long delta = delta();
    return isInteger(redis, Element.string(key), delta)
        ? new Change.StringAdd(BigDecimal.valueOf(delta), null)
        : null;
  }

  private @Nullable Change hash(SimRedis redis, RedisKey key) {
    Element field = new Element(key, ElementKind.HASH_FIELD, name());
    int dice = random.nextInt(4);
    if (dice == 0) {
      return redis.look(field).isAbsent() ? null : new Change.HashRemove(field.name());
    }
    if (dice == 1) {
      return new Change.HashPut(field.name(), random.nextBoolean() ? number() : text());
    }
    long delta = delta();
    return isInteger(redis, field, delta)
        ? new Change.HashAdd(field.name(), BigDecimal.valueOf(delta), null)
        : null;
  }

  private @Nullable Change member(SimRedis redis, RedisKey key) {
    Element member = new Element(key, ElementKind.SET_MEMBER, name());
    boolean there = !redis.look(member).isAbsent();
    if (random.nextInt(5) < 3) {
      return there ? null : new Change.SetAdd(member.name());
    }
    return there ? new Change.SetRemove(member.name()) : null;
  }

  private @Nullable Change score(SimRedis redis, RedisKey key) {
    Element member = new Element(key, ElementKind.ZSET_MEMBER, name());
    Content now = redis.look(member);
    int dice = random.nextInt(4);
    if (dice == 0) {
      return now.isAbsent() ? null : new Change.ZsetRemove(member.name());
    }
    if (dice == 1) {
      double score = ++unique + 0.25;
      return now.equals(Content.score(score)) ? null : new Change.ZsetPut(member.name(), score);
    }
    double from = now.value() == null ? 0 : Content.parseScore(now.value().text());
    double delta = random.nextBoolean() ? delta() : ++unique / 10.0;
    return new Change.ZsetAdd(member.name(), from, from + delta);
  }

  private static boolean isInteger(SimRedis redis, Element element, long delta) {
    Content content = redis.look(element);
    ElementKind kind = redis.kind(element.key());
    return (kind == null || kind == element.kind())
        && io.crosstide.protocol.merge.EffectSemantics.add(element, content, delta) != null;
  }

  private Bytes name() {
    return Bytes.utf8(NAMES[random.nextInt(NAMES.length)]);
  }

  private Bytes text() {
    String text = "v" + ++unique;
    boolean tooLong = longValues && random.nextInt(5) == 0;
    return Bytes.utf8(tooLong ? text.concat(PADDING) : text);
  }

  private Bytes number() {
    return Bytes.utf8(Long.toString(++unique * 1_000_003));
  }

  private long delta() {
    return ++unique * 1_000_003 + 7;
  }

  private long uniqueDeadline(long now) {
    return now + 20 + random.nextInt(200) * 16L + unique++ % 16;
  }
}
