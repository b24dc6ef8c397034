package io.crosstide.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class StreamIdTest {
  @Test
  void readsWhatRedisWritesAndNothingElse() {
    assertThat(StreamId.parse("5-7", 0)).isEqualTo(new StreamId(5, 7));
    assertThat(StreamId.parse("5", 3)).isEqualTo(new StreamId(5, 3));
    assertThat(StreamId.parse("18446744073709551615-18446744073709551615", 0))
        .isEqualTo(new StreamId(-1, -1))
        .hasToString("18446744073709551615-18446744073709551615");
    assertThat(StreamId.parse("18446744073709551616-0", 0)).isNull();
    assertThat(StreamId.parse("5-", 0)).isNull();
    assertThat(StreamId.parse("-5", 0)).isNull();
    assertThat(StreamId.parse("*", 0)).isNull();
  }

  @Test
  void displacedIdsAreUniqueAndLeadBack() {
    Random random = new Random(5);
    for (int i = 0; i < 1_000; i++) {
      StreamId id =
          new StreamId(random.nextLong(), random.nextLong() >>> (24 + random.nextInt(40)));
      int region = 1 + random.nextInt(127);
      StreamId displaced = id.displaced(region);
      assertThat(displaced.given()).isEqualTo(id);
      assertThat(displaced.region()).isEqualTo(region);
      assertThat(displaced).isGreaterThan(id);
      assertThat(id.region()).isZero();
      assertThat(new StreamId(id.millis(), displaced.sequence() + 1).region()).isZero();
    }
  }

  @Test
  void whatIsFarUpAlreadyIsNotDisplaced() {
    StreamId displaced = new StreamId(1, 1).displaced(2);
    assertThat(displaced.isDisplaceable()).isFalse();
    assertThatThrownBy(() -> displaced.displaced(2)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void idsAreOrderedAsUnsignedNumbers() {
    assertThat(new StreamId(1, -1))
        .isGreaterThan(new StreamId(1, 5))
        .isLessThan(new StreamId(2, 0));
    assertThat(new StreamId(2, 0).previous()).isEqualTo(new StreamId(1, -1));
  }
}
