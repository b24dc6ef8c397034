package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Random elements, contents and batches over alphabets so small that conflicts of value, type and
 * number are common. About half of the guards expect what the model holds.
 */
final class BatchGenerator {
  static final long FAR = 4_102_444_800_000L;

  private static final List<ElementKind> KINDS =
      Stream.of(ElementKind.values()).filter(kind -> kind != ElementKind.STREAM).toList();
  private static final List<ElementKind> ADDABLE =
      List.of(ElementKind.STRING, ElementKind.HASH_FIELD, ElementKind.ZSET_MEMBER);
  private static final List<Bytes> NAMES =
      List.of(Bytes.utf8("a"), Bytes.EMPTY, Bytes.wrap(new byte[] {0, '\r', '\n', (byte) 0xff}));
  private static final List<Bytes> VALUES =
      List.of(
          Bytes.EMPTY,
          Bytes.utf8("1"),
          Bytes.utf8("-7"),
          Bytes.utf8("01"),
          Bytes.utf8("1.5"),
          Bytes.utf8("text"),
          Bytes.utf8(Long.toString(Long.MAX_VALUE)),
          Bytes.wrap(new byte[] {0, 'b', '\r', '\n', 0}),
          Bytes.utf8("x".repeat(64)),
          Bytes.utf8("y".repeat(65)),
          Bytes.utf8("z".repeat(300)));
  private static final double[] SCORES = {
    0, 1, -3, 0.1, 1e300, -1.5e-7, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1 << 30, 1e20
  };
  private static final long[] DELTAS = {1, -1, 10, -1_000_000, Integer.MAX_VALUE, 0};
  private static final Origin[] ORIGINS = {Origin.of(2), new Origin(3, 1, 4), Origin.of(127)};

  private final Random random;
  private final ModelRedis model;
  private final List<RedisKey> keys = new ArrayList<>();
  private final ListEffects lists;
  private @Nullable Element previous;

  BatchGenerator(Random random, ModelRedis model) {
    this.random = random;
    this.model = model;
    lists = new ListEffects(random, model, VALUES);
    for (int db : new int[] {0, 3, 15}) {
      for (Bytes name : List.of(Bytes.utf8("k"), Bytes.wrap(new byte[] {0, 'k', (byte) 0x80}))) {
        keys.add(new RedisKey(db, name));
      }
    }
  }

  List<RedisKey> keys() {
    return keys;
  }

  RedisKey key() {
    return keys.get(random.nextInt(keys.size()));
  }

  Element element() {
    return element(key(), KINDS.get(random.nextInt(KINDS.size())));
  }

  private Element element(RedisKey key, ElementKind kind) {
    return switch (kind) {
      case STRING -> Element.string(key);
      case DEADLINE -> Element.deadline(key);
      case LIST_ELEMENT -> lists.element(key);
      default -> new Element(key, kind, NAMES.get(random.nextInt(NAMES.size())));
    };
  }

  /** Values to put into a list. */
  Bytes value() {
    return lists.value();
  }

  /** Something the element can hold, present. */
  Content content(Element element) {
    return switch (element.kind()) {
      case STRING, HASH_FIELD, LIST_ELEMENT, STREAM ->
          Content.of(VALUES.get(random.nextInt(VALUES.size())));
      case SET_MEMBER -> Content.PRESENT;
      case ZSET_MEMBER -> Content.score(SCORES[random.nextInt(SCORES.length)]);
      case DEADLINE -> Content.deadline(FAR + random.nextInt(3));
    };
  }

  private Content contentOrAbsent(Element element) {
    return random.nextInt(3) == 0 ? Content.ABSENT : content(element);
  }

  private Content expected(Element element) {
    Content expected = random.nextInt(3) > 0 ? model.content(element) : contentOrAbsent(element);
    return random.nextBoolean() ? expected.compact() : expected;
  }

  private Fx knows(Element element) {
    MarkerState marker = model.marker;
    MarkerState.Missed missed = marker == null ? null : marker.exceptions().get(element.digest());
    return missed != null && random.nextInt(4) > 0 ? missed.fx() : Fx.NONE;
  }

  private Effect effect() {
    // An element in a batch often is one that is there, or has an exception.
    Element element = element();
    for (int i = 0; i < 3 && isAbsent(element); i++) {
      element = element();
    }
    if (previous != null && random.nextInt(3) == 0) {
      element = previous;
    }
    previous = element;
    if (element.kind() == ElementKind.LIST_ELEMENT) {
      return lists.effect(element, this::knows);
    }
    return switch (random.nextInt(10)) {
      case 0 -> new Effect.Noop();
      case 1 -> new Effect.Probe(element);
      case 2 -> new Effect.Check(element, expected(element), knows(element));
      case 3, 4 -> {
        Element number = element(element.key(), ADDABLE.get(random.nextInt(ADDABLE.size())));
        yield new Effect.Add(number, DELTAS[random.nextInt(DELTAS.length)], knows(number));
      }
      default ->
          new Effect.Put(element, expected(element), contentOrAbsent(element), knows(element));
    };
  }

  private boolean isAbsent(Element element) {
    return element.kind() == ElementKind.LIST_ELEMENT
        ? model.list(element.key()).isEmpty()
        : model.content(element).isAbsent();
  }

  VersionVector later(VersionVector context) {
    Origin origin = ORIGINS[random.nextInt(ORIGINS.length)];
    return context.with(origin, context.get(origin) + 1 + random.nextInt(3));
  }

  EffectBatch batch(int partition, int epoch, long first) {
    MarkerState marker = model.marker;
    VersionVector context = marker == null ? VersionVector.EMPTY : marker.context();
    List<EffectBatch.Group> groups = new ArrayList<>();
    int size = 0;
    int wanted = 1 + random.nextInt(6);
    while (groups.size() < wanted || size == 0) {
      context = later(context);
      List<Effect> effects = new ArrayList<>();
      int inGroup = random.nextInt(4);
      if (random.nextInt(12) == 0) {
        effects.addAll(missThenDeadline(new Fx(epoch, first + size)));
      } else {
        for (int i = 0; i < inGroup; i++) {
          effects.add(effect());
        }
      }
      size += effects.size();
      groups.add(new EffectBatch.Group(context, effects));
    }
    return new EffectBatch(partition, epoch, first, groups);
  }

  /**
   * An effect on a string that surely misses, one that knows of the miss, and one on the deadline.
   *
   * @param number the first's
   */
  private List<Effect> missThenDeadline(Fx number) {
    RedisKey key = key();
    Element string = Element.string(key);
    Element deadline = Element.deadline(key);
    return List.of(
        new Effect.Check(string, Content.utf8("never written"), Fx.NONE),
        new Effect.Check(string, model.content(string), number),
        new Effect.Put(
            deadline, model.content(deadline), contentOrAbsent(deadline), knows(deadline)));
  }

  /** A batch that only gives a key a deadline that has passed. */
  EffectBatch pastDeadline(int partition, int epoch, long first, RedisKey key, long deadline) {
    MarkerState marker = model.marker;
    Element element = Element.deadline(key);
    return new EffectBatch(
        partition,
        epoch,
        first,
        List.of(
            new EffectBatch.Group(
                later(marker == null ? VersionVector.EMPTY : marker.context()),
                List.of(
                    new Effect.Put(
                        element,
                        model.content(element),
                        Content.deadline(deadline),
                        knows(element))))));
  }
}
