package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is believed of one element, however the effects under way and local changes alternate. */
class TrackedTest {
  private static final RedisKey KEY = RedisKey.of(0, "k");
  private static final List<Element> ELEMENTS =
      List.of(
          Element.string(KEY),
          new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("f")),
          new Element(KEY, ElementKind.ZSET_MEMBER, Bytes.utf8("m")));
  private static final List<Content> CONTENTS =
      List.of(
          Content.ABSENT,
          Content.utf8("0"),
          Content.utf8("41"),
          Content.utf8("text"),
          Content.utf8("9007199254740990"),
          Content.utf8("9223372036854775800"),
          Content.utf8("-9223372036854775808"));
  private static final long[] DELTAS = {
    0, 1, 1, 1, -3, 1L << 39, -(1L << 39), 1L << 53, Long.MAX_VALUE, Long.MIN_VALUE
  };

  /** As {@link Tracked#believed()}, the long way. */
  private static ElementState folded(Tracked tracked) {
    ElementState state = tracked.state;
    for (Tracked.Pending effect : tracked.pending) {
      state = EffectSemantics.apply(state, effect.effect(), effect.number());
    }
    return state;
  }

  @Test
  void whatIsBelievedIsThePendingEffectsAppliedInOrder() {
    int reckoned = 0;
    for (long seed = 0; seed < 3_000; seed++) {
      Random random = new Random(seed);
      Element element = ELEMENTS.get(random.nextInt(ELEMENTS.size()));
      // Most runs have small increments alone, which are summed up instead of applied one by one.
      int deltas = random.nextInt(3) == 0 ? DELTAS.length : 7;
      int effects = random.nextInt(3) == 0 ? 4 : 1;
      Tracked tracked = new Tracked(element, any(random), any(random));
      for (int n = 1; n <= 40; n++) {
        Fx number = new Fx(1, n);
        switch (random.nextInt(4)) {
          case 0 ->
              tracked.state =
                  new ElementState(any(random), random.nextInt(4) == 0 ? new Fx(0, n) : Fx.NONE);
          case 1 -> {
            Tracked.Pending first = tracked.pending.peekFirst();
            if (first != null) {
              ElementState after =
                  EffectSemantics.apply(tracked.state, first.effect(), first.number());
              assertThat(tracked.foldFirst()).isEqualTo(after.exception().equals(first.number()));
              assertThat(tracked.state).isEqualTo(after);
            }
          }
          default -> tracked.send(number, effect(random, element, effects, deltas, number));
        }
        if (random.nextInt(50) == 0) {
          tracked.forget();
          tracked.known = true;
        }
        if (random.nextInt(3) > 0) {
          assertThat(tracked.believed()).as("seed %d step %d", seed, n).isEqualTo(folded(tracked));
          reckoned++;
        }
      }
    }
    assertThat(reckoned).isGreaterThan(50_000);
  }

  private static Content any(Random random) {
    return random.nextInt(3) > 0
        ? Content.utf8(Integer.toString(random.nextInt(100)))
        : CONTENTS.get(random.nextInt(CONTENTS.size()));
  }

  private static Effect effect(Random random, Element element, int effects, int deltas, Fx number) {
    Fx knows = random.nextInt(4) == 0 ? number : Fx.NONE;
    return switch (random.nextInt(effects)) {
      case 0 -> new Effect.Add(element, DELTAS[random.nextInt(deltas)], knows);
      case 1 -> new Effect.Put(element, any(random), any(random), knows);
      case 2 -> new Effect.Check(element, any(random), knows);
      default -> new Effect.Add(element, 1, Fx.NONE);
    };
  }

  @Test
  void manyPendingIncrementsAmidLocalOnesCostWhatFewDo() {
    Tracked tracked = new Tracked(ELEMENTS.get(0), Content.ABSENT, Content.ABSENT);
    long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    for (int n = 1; n <= 50_000; n++) {
      tracked.send(new Fx(1, n), new Effect.Add(tracked.element, 1, Fx.NONE));
      tracked.state = new ElementState(Content.utf8(Integer.toString(n)), Fx.NONE);
      assertThat(tracked.believed().content()).isEqualTo(Content.utf8(Integer.toString(2 * n)));
    }
    while (!tracked.pending.isEmpty()) {
      tracked.foldFirst();
      assertThat(tracked.believed().content()).isEqualTo(Content.utf8("100000"));
    }
    assertThat(tracked.state.content()).isEqualTo(Content.utf8("100000"));
    long millis =
        (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin) / 1_000_000;
    // One by one it would be 1,250,000,000 additions.
    assertThat(millis).as("milliseconds of CPU").isLessThan(5_000);
  }
}
