package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import org.junit.jupiter.api.Test;

/** When a sum stands in for a put (P9). */
final class EffectChoiceTest {
  private static final Element COUNTER = Element.string(RedisKey.of(0, "counter"));
  private static final Content FROM = Content.utf8("10");
  private static final Content TO = Content.utf8("15");
  private static final Fx MISS = new Fx(1, 7);

  private static Effect choice(int missesInRow, Fx exception) {
    Tracked tracked = new Tracked(COUNTER, FROM, TO);
    tracked.missesInRow = missesInRow;
    return EffectChoice.of(tracked, new ElementState(FROM, exception), TO, null, false);
  }

  @Test
  void afterSeveralMissesASumIsSent() {
    assertThat(choice(2, MISS)).isEqualTo(new Effect.Put(COUNTER, FROM, TO, MISS));
    assertThat(choice(3, MISS)).isEqualTo(new Effect.Add(COUNTER, 5, MISS));
  }

  /**
   * A put under way may pass after all: a sum upon it would pass over what a client wrote since.
   */
  @Test
  void notWhileAPutIsBelievedToPass() {
    assertThat(choice(3, Fx.NONE)).isEqualTo(new Effect.Put(COUNTER, FROM, TO, Fx.NONE));
  }
}
