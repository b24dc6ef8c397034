package io.crosstide.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MarkerStateTest {
  private static final MarkerState.Missed MISSED =
      new MarkerState.Missed(new Fx(2, 9), VersionVector.of(Origin.of(3), 4));

  @Test
  void anExceptionReadsBackAsItWas() {
    assertThat(MISSED.encode()).isEqualTo("2:9 3=4");
    assertThat(MarkerState.Missed.decode(MISSED.encode())).isEqualTo(MISSED);
    MarkerState.Missed sawNothing = new MarkerState.Missed(new Fx(1, 1), VersionVector.EMPTY);
    assertThat(MarkerState.Missed.decode(sawNothing.encode())).isEqualTo(sawNothing);
  }

  @Test
  void otherTextsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MarkerState.Missed.decode("2:9"))
        .withMessageContaining("not a marker exception");
    assertThatIllegalArgumentException().isThrownBy(() -> MarkerState.Missed.decode("x 3=4"));
  }

  @Test
  void theExceptionsAreACopy() {
    Map<String, MarkerState.Missed> exceptions = new HashMap<>(Map.of("d", MISSED));
    MarkerState marker = new MarkerState(1, Fx.NONE, VersionVector.EMPTY, exceptions);
    exceptions.clear();
    assertThat(marker.exceptions()).containsOnlyKeys("d");
  }

  @Test
  void theKeyIsReservedAndHashTaggedByPartition() {
    assertThat(MarkerState.key(12)).isEqualTo("__ct:{12}");
    assertThat(RedisKey.of(0, MarkerState.key(12)).isReserved()).isTrue();
    assertThat(RedisKey.of(0, "__ct").isReserved()).isFalse();
    assertThat(RedisKey.of(0, "x__ct:").isReserved()).isFalse();
  }

  @Test
  void theFirstMarkerClaimsNothing() {
    assertThat(MarkerState.initial(4))
        .isEqualTo(new MarkerState(4, Fx.NONE, VersionVector.EMPTY, Map.of()));
  }

  @Test
  void aStringsExceptionHoldsForItsDeadlineToo() {
    RedisKey key = RedisKey.of(0, "k");
    VersionVector context = VersionVector.of(Origin.of(2), 9);
    VersionVector before = VersionVector.of(Origin.of(2), 4);
    MarkerState marker =
        new MarkerState(
            1,
            new Fx(1, 3),
            context,
            Map.of(Element.string(key).digest(), new MarkerState.Missed(new Fx(1, 2), before)));

    assertThat(marker.contextOf(Element.string(key))).isEqualTo(before);
    assertThat(marker.contextOf(Element.deadline(key))).isEqualTo(before);
    assertThat(marker.contextOf(Element.deadline(RedisKey.of(0, "l")))).isEqualTo(context);
  }
}
