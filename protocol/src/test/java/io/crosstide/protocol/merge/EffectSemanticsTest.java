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
import org.junit.jupiter.api.Test;

class EffectSemanticsTest {
  private static final RedisKey KEY = RedisKey.of(0, "k");
  private static final Element STRING = Element.string(KEY);
  private static final Element DEADLINE = Element.deadline(KEY);
  private static final Element SCORE = new Element(KEY, ElementKind.ZSET_MEMBER, Bytes.utf8("m"));
  private static final Content A = Content.utf8("a");
  private static final Content B = Content.utf8("b");
  private static final Fx NUMBER = new Fx(1, 9);

  private static ElementState holds(Content content) {
    return new ElementState(content, Fx.NONE);
  }

  private static ElementState excepted(Content content, long number) {
    return new ElementState(content, new Fx(1, number));
  }

  private static ElementState apply(ElementState before, Effect effect) {
    return EffectSemantics.apply(before, effect, NUMBER);
  }

  @Test
  void aPutWritesOnlyOverWhatItExpects() {
    Effect put = new Effect.Put(STRING, A, B, Fx.NONE);
    assertThat(apply(holds(A), put)).isEqualTo(holds(B));
    assertThat(apply(holds(B), put)).isEqualTo(new ElementState(B, NUMBER));
    assertThat(apply(holds(Content.ABSENT), put))
        .isEqualTo(new ElementState(Content.ABSENT, NUMBER));
  }

  @Test
  void anEmptyValueIsNotAbsent() {
    Effect put = new Effect.Put(STRING, Content.ABSENT, A, Fx.NONE);
    assertThat(apply(holds(Content.PRESENT), put))
        .isEqualTo(new ElementState(Content.PRESENT, NUMBER));
  }

  @Test
  void anExceptionNewerThanWhatTheEffectKnowsMakesItMissWhateverItsGuardSays() { // P9
    Effect planned = new Effect.Put(STRING, A, B, new Fx(1, 4));
    assertThat(apply(excepted(A, 4), planned)).isEqualTo(holds(B));
    assertThat(apply(excepted(A, 5), planned)).isEqualTo(new ElementState(A, NUMBER));
    assertThat(apply(excepted(A, 5), new Effect.Check(STRING, A, new Fx(1, 4))))
        .isEqualTo(new ElementState(A, NUMBER));
    Content five = Content.utf8("5");
    assertThat(apply(excepted(five, 5), new Effect.Add(STRING, 1, new Fx(1, 4))))
        .isEqualTo(new ElementState(five, NUMBER));
    assertThat(apply(excepted(five, 5), new Effect.Add(STRING, 1, new Fx(1, 5))))
        .isEqualTo(holds(Content.utf8("6")));
  }

  @Test
  void aCheckWritesNothingAndRemovesTheException() {
    assertThat(apply(excepted(A, 3), new Effect.Check(STRING, A, new Fx(1, 3))))
        .isEqualTo(holds(A));
    assertThat(apply(holds(A), new Effect.Check(STRING, B, Fx.NONE)))
        .isEqualTo(new ElementState(A, NUMBER));
  }

  @Test
  void clearingADeadlineThatIsGoneAlreadyPasses() {
    Effect clear = new Effect.Put(DEADLINE, Content.deadline(5), Content.ABSENT, Fx.NONE);
    assertThat(apply(holds(Content.ABSENT), clear)).isEqualTo(holds(Content.ABSENT));
    assertThat(apply(holds(Content.deadline(6)), clear))
        .isEqualTo(new ElementState(Content.deadline(6), NUMBER));
    Effect elsewhere = new Effect.Put(STRING, A, Content.ABSENT, Fx.NONE);
    assertThat(apply(holds(Content.ABSENT), elsewhere))
        .isEqualTo(new ElementState(Content.ABSENT, NUMBER));
  }

  @Test
  void aStringThatMissedKeepsItsDeadlineUntilAnEffectThatKnowsOfTheMissPasses() { // P9
    Effect write = new Effect.Put(STRING, A, B, Fx.NONE);
    Effect set = new Effect.Put(DEADLINE, Content.ABSENT, Content.deadline(5), Fx.NONE);
    Effect clear = new Effect.Put(DEADLINE, Content.deadline(5), Content.ABSENT, Fx.NONE);
    Effect elsewhere =
        new Effect.Put(Element.deadline(RedisKey.of(0, "other")), A, Content.ABSENT, Fx.NONE);
    EffectSemantics.EarlierInBatch earlier = new EffectSemantics.EarlierInBatch();
    assertThat(earlier.rulesOut(clear)).isFalse();
    earlier.note(write, true);
    assertThat(earlier.rulesOut(set)).isTrue();
    assertThat(earlier.rulesOut(clear)).isTrue();
    assertThat(earlier.rulesOut(elsewhere)).isFalse();
    assertThat(earlier.rulesOut(write)).isFalse();
    earlier.note(new Effect.Put(STRING, A, B, NUMBER), false);
    assertThat(earlier.rulesOut(set)).isFalse();
    assertThat(earlier.rulesOut(clear)).isFalse();
  }

  @Test
  void anAddNeedsAnIntegerAndASumThatFits() {
    assertThat(EffectSemantics.add(STRING, Content.ABSENT, 3)).isEqualTo(Content.utf8("3"));
    assertThat(EffectSemantics.add(STRING, Content.utf8("-5"), 3)).isEqualTo(Content.utf8("-2"));
    assertThat(EffectSemantics.add(STRING, A, 3)).isNull();
    assertThat(EffectSemantics.add(STRING, Content.utf8("1.5"), 3)).isNull();
    Content most = Content.utf8(Long.toString(Long.MAX_VALUE));
    assertThat(EffectSemantics.add(STRING, most, 1)).isNull();
    assertThat(EffectSemantics.add(STRING, most, -1)).isNotNull();
  }

  @Test
  void aScoreIsAddedToOnlyWhileItIsExact() { // P22
    Content edge = Content.score((double) ((1L << 53) - 2));
    assertThat(EffectSemantics.add(SCORE, Content.score(41), 1)).isEqualTo(Content.score(42));
    assertThat(EffectSemantics.add(SCORE, edge, 2)).isNull();
    assertThat(EffectSemantics.add(SCORE, Content.score(0.5), 1)).isNull();
  }

  @Test
  void aScoreThatWasAddedToHasTheTextThatScoresHave() { // P22
    long[] bases = {998, 999_999_999_999_998L, 999_999_999_999_999L, 4_000_000_000_000_000L};
    for (long base : bases) {
      Content sum = EffectSemantics.add(SCORE, Content.utf8(Long.toString(base)), 1);
      assertThat(sum).as("%d + 1", base).isEqualTo(Content.score((double) (base + 1)));
    }
  }

  @Test
  void probesAndNoopsChangeNothing() {
    assertThat(apply(excepted(A, 3), new Effect.Probe(STRING))).isEqualTo(excepted(A, 3));
    assertThat(apply(holds(A), new Effect.Noop())).isEqualTo(holds(A));
  }

  @Test
  void longValuesAreKeptAsDigests() {
    Content longer = Content.utf8("v".repeat(100));
    Effect put = new Effect.Put(STRING, A, longer, Fx.NONE);
    assertThat(apply(holds(A), put).content().isDigestOnly()).isTrue();
    assertThat(apply(holds(A), put).content()).isEqualTo(longer);
  }
}
