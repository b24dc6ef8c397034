package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Origins and dots. */
class IdentityTest {
  @Test
  void everyOriginSurvivesPacking() {
    for (int region : List.of(1, 2, 127)) {
      for (int shard : List.of(0, 1, 0xffff)) {
        for (int incarnation : List.of(0, 1, Integer.MAX_VALUE)) {
          Origin origin = new Origin(region, shard, incarnation);
          assertThat(Origin.fromPacked(origin.packed())).isEqualTo(origin);
          assertThat(origin.packed()).isPositive();
        }
      }
    }
  }

  @Test
  void partsOutOfRangeAreRefusedWithTheirValue() {
    assertThatThrownBy(() -> new Origin(0, 0, 0)).hasMessageContaining("region id 0");
    assertThatThrownBy(() -> new Origin(128, 0, 0)).hasMessageContaining("region id 128");
    assertThatThrownBy(() -> new Origin(1, -1, 0)).hasMessageContaining("shard -1");
    assertThatThrownBy(() -> new Origin(1, 65536, 0)).hasMessageContaining("shard 65536");
    assertThatThrownBy(() -> new Origin(1, 0, -1)).hasMessageContaining("incarnation -1");
    assertThatThrownBy(() -> new Dot(Origin.of(1), 0)).hasMessageContaining("seq 0");
  }

  @Test
  void orderAgreesWithEquality() {
    Origin a = new Origin(1, 0, 0);
    Origin b = new Origin(2, 0, 0);
    assertThat(a).isLessThan(b).isEqualByComparingTo(Origin.of(1));
    assertThat(new Dot(a, 2)).isLessThan(new Dot(b, 1)).isGreaterThan(new Dot(a, 1));
    assertThat(new Dot(a, 2)).isEqualByComparingTo(new Dot(Origin.of(1), 2));
  }

  @Test
  void textsReadAsInMarkersAndMessages() {
    assertThat(new Dot(new Origin(3, 1, 2), 9)).hasToString("3.1.2:9");
  }
}
