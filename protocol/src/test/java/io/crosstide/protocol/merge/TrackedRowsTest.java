package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class TrackedRowsTest {
  private static final List<ElementKind> KINDS =
      List.of(
          ElementKind.STRING,
          ElementKind.HASH_FIELD,
          ElementKind.SET_MEMBER,
          ElementKind.ZSET_MEMBER,
          ElementKind.DEADLINE);

  private final CountedRows store = new CountedRows();
  private final Belief belief = new Belief(store);

  private static Element element(int number) {
    ElementKind kind = KINDS.get(number % KINDS.size());
    return new Element(
        new RedisKey(number % 3, Bytes.wrap(new byte[] {(byte) number, (byte) (number >> 8)})),
        kind,
        kind == ElementKind.STRING || kind == ElementKind.DEADLINE
            ? Bytes.EMPTY
            : Bytes.utf8("name" + number));
  }

  private static Tracked settled(int number) {
    return new Tracked(element(number), Content.ABSENT, Content.ABSENT);
  }

  private Set<Element> restored() {
    Belief successor = new Belief(store);
    successor.restore();
    Set<Element> elements = new TreeSet<>();
    successor.all().forEach(tracked -> elements.add(tracked.element));
    return elements;
  }

  @Test
  void whatGoesBeforeTheCommitIsNeverWritten() {
    Tracked tracked = settled(1);
    belief.track(tracked);
    belief.untrackIfSettled(tracked);
    belief.persist();
    assertThat(store.writes()).isZero();
  }

  @Test
  void manyElementsTakeFewRows() {
    for (int i = 0; i < 5_000; i++) {
      belief.track(settled(i));
    }
    belief.persist();
    assertThat(store.writes()).isEqualTo(5);
    assertThat(restored()).hasSize(5_000);
    belief.persist();
    assertThat(store.writes()).as("nothing has changed").isEqualTo(5);
  }

  @Test
  void aRowGoesOnceMostOfItsElementsHaveGone() {
    List<Tracked> all = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      all.add(settled(i));
      belief.track(all.get(i));
    }
    belief.persist();
    all.subList(0, 4).forEach(belief::untrackIfSettled);
    belief.persist();
    assertThat(store.writes()).isEqualTo(1);
    belief.untrackIfSettled(all.get(4));
    belief.persist();
    assertThat(store.size()).isEqualTo(1);
    assertThat(restored()).hasSize(5);
    all.subList(5, 10).forEach(belief::untrackIfSettled);
    belief.persist();
    assertThat(store.size()).isZero();
  }

  @Test
  void everyTrackedElementIsNamedAfterEachCommitWhateverCameBetween() { // P11
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      CountedRows rows = new CountedRows();
      Belief present = new Belief(rows);
      for (int step = 0; step < 300; step++) {
        Element element = element(random.nextInt(60));
        Tracked tracked = present.get(element);
        switch (random.nextInt(10)) {
          case 0 -> {
            present.persist();
            Belief successor = new Belief(rows);
            successor.restore();
            List<Element> named = successor.all().stream().map(t -> t.element).toList();
            assertThat(named).as("seed %s", seed).containsAll(elements(present));
            assertThat(named.size()).isLessThanOrEqualTo(2 * present.size());
            assertThat(successor.size()).as("seed %s", seed).isEqualTo(named.size());
            if (random.nextInt(4) == 0) {
              present = successor;
              present.all().forEach(each -> each.known = true);
            }
          }
          case 1 -> {
            if (tracked != null) {
              present.track(new Tracked(element, Content.ABSENT, Content.ABSENT));
            }
          }
          default -> {
            if (tracked == null) {
              present.track(new Tracked(element, Content.ABSENT, Content.ABSENT));
            } else {
              present.untrackIfSettled(tracked);
            }
          }
        }
      }
    }
  }

  private static List<Element> elements(Belief belief) {
    return belief.all().stream().map(tracked -> tracked.element).toList();
  }
}
