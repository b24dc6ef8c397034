package io.crosstide.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class FxTest {
  @Test
  void theEpochCountsBeforeTheNumber() {
    Fx old = new Fx(1, 900);
    Fx young = new Fx(2, 1);
    assertThat(old).isLessThan(young).isGreaterThan(new Fx(1, 899));
    assertThat(old.atMost(young)).isTrue();
    assertThat(old.atMost(old)).isTrue();
    assertThat(young.atMost(old)).isFalse();
    assertThat(Fx.max(old, young)).isEqualTo(Fx.max(young, old)).isEqualTo(young);
  }

  @Test
  void noneIsBeforeAllOthers() {
    assertThat(Fx.NONE.isNone()).isTrue();
    assertThat(Fx.NONE.atMost(new Fx(0, 1))).isTrue();
    assertThat(new Fx(1, 0).isNone()).isFalse();
  }

  @Test
  void theTextReadsBackAsItWas() {
    for (Fx fx : new Fx[] {Fx.NONE, new Fx(3, 17), new Fx(Integer.MAX_VALUE, Long.MAX_VALUE)}) {
      assertThat(Fx.parse(fx.toString())).isEqualTo(fx);
    }
    assertThat(new Fx(3, 17)).hasToString("3:17");
  }

  @Test
  void otherTextsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Fx.parse("17"))
        .withMessageContaining("'17' is not an effect number");
    assertThatIllegalArgumentException().isThrownBy(() -> Fx.parse("a:1"));
    assertThatIllegalArgumentException().isThrownBy(() -> Fx.parse(""));
  }
}
