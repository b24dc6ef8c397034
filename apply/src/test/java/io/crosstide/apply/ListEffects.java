package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.ListPlace;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Random effects on elements of lists: places are mostly true of a list somewhat different from the
 * one that the model holds, as if clients had pushed and popped since they were planned.
 */
final class ListEffects {
  private static final String[] POSITIONS = {"p", "q", "\0\r\n"};

  private final Random random;
  private final ModelRedis model;
  private final List<Bytes> values;

  ListEffects(Random random, ModelRedis model, List<Bytes> values) {
    this.random = random;
    this.model = model;
    this.values = values;
  }

  Element element(RedisKey key) {
    Bytes position = Bytes.utf8(POSITIONS[random.nextInt(POSITIONS.length)]);
    return new Element(key, ElementKind.LIST_ELEMENT, position);
  }

  Bytes value() {
    return values.get(random.nextInt(values.size()));
  }

  private Content content() {
    return Content.of(value());
  }

  Effect effect(Element element, Function<Element, Fx> knowing) {
    Fx knows = knowing.apply(element);
    List<Bytes> list = believed(model.list(element.key()));
    int dice = random.nextInt(10);
    if (dice == 0) {
      return new Effect.Probe(element);
    }
    if (dice == 1) {
      return random.nextBoolean()
          ? new Effect.Check(element, Content.ABSENT, knows)
          : new Effect.Put(element, Content.ABSENT, Content.ABSENT, knows);
    }
    if (list.isEmpty() || dice < 5) {
      ListPlace place = place(list, random.nextInt(list.size() + 1), true);
      return new Effect.Put(element, Content.ABSENT, content(), knows, place);
    }
    int index = random.nextInt(list.size());
    if (random.nextBoolean()) {
      index = random.nextBoolean() ? Math.min(index, 2) : Math.max(index, list.size() - 3);
    }
    Content expected = random.nextInt(8) == 0 ? content() : Content.of(list.get(index));
    expected = random.nextBoolean() ? expected.compact() : expected;
    ListPlace place = place(list, index, false);
    if (dice == 5) {
      return new Effect.Check(element, expected, knows, place);
    }
    Content desired = dice < 8 ? Content.ABSENT : content();
    return new Effect.Put(element, expected, desired, knows, place);
  }

  /** What somebody believes who has not seen the last pushes and pops. */
  private List<Bytes> believed(List<Bytes> list) {
    List<Bytes> believed = new ArrayList<>(list);
    for (int i = random.nextInt(3); i > 0; i--) {
      int at = random.nextInt(4);
      if (at < 2) {
        believed.add(at == 0 ? 0 : believed.size(), value());
      } else if (!believed.isEmpty()) {
        believed.remove(at == 2 ? 0 : believed.size() - 1);
      }
    }
    return believed;
  }

  private ListPlace place(List<Bytes> list, int index, boolean gap) {
    int behind = index + (gap ? 0 : 1);
    List<Content> before = new ArrayList<>();
    List<Content> after = new ArrayList<>();
    for (int i = 1; i <= 2 && index - i >= 0; i++) {
      before.add(neighbour(list.get(index - i)));
    }
    for (int i = 0; i < 2 && behind + i < list.size(); i++) {
      after.add(neighbour(list.get(behind + i)));
    }
    int hint =
        switch (random.nextInt(12)) {
          case 0 -> ListPlace.NO_HINT;
          case 1 -> random.nextInt(40) - 20;
          case 2, 3, 4, 5, 6 -> index;
          default -> index - list.size() - (gap ? 1 : 0);
        };
    return new ListPlace(before, after, hint, random.nextBoolean(), random.nextInt(4));
  }

  private Content neighbour(Bytes value) {
    return ListPlace.neighbour(random.nextInt(30) == 0 ? content() : Content.of(value));
  }
}
