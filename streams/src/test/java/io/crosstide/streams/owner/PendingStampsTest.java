package io.crosstide.streams.owner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PendingStampsTest {
  private final PendingStamps stamps = new PendingStamps();

  private List<Long> takeUpTo(long seq) {
    List<Long> taken = new ArrayList<>();
    stamps.takeUpTo(seq, taken::add);
    return taken;
  }

  @Test
  void whileFewWaitEachIsMeasuredOnceItIsReached() {
    for (long seq = 1; seq <= 10; seq++) {
      stamps.add(seq, 1000 + seq);
    }
    assertThat(takeUpTo(3)).containsExactly(1001L, 1002L, 1003L);
    assertThat(takeUpTo(3)).isEmpty();
    assertThat(takeUpTo(4)).containsExactly(1004L);
  }

  @Test
  void ofManyOneInEightIsMeasuredAndNoMoreThanFit() {
    for (long seq = 1; seq <= 10_000; seq++) {
      stamps.add(seq, seq);
    }
    List<Long> taken = takeUpTo(10_000);
    assertThat(taken).hasSize(64 + (10_000 - 64) / PendingStamps.SPARSE).isSorted();
    for (long seq = 1; seq <= 1_000_000; seq++) {
      stamps.add(seq, seq);
    }
    assertThat(takeUpTo(1_000_000)).hasSizeLessThan(5_000);
  }

  @Test
  void whatIsForgottenIsNotMeasured() {
    stamps.add(1, 1);
    stamps.clear();
    stamps.add(2, 2);
    assertThat(takeUpTo(2)).containsExactly(2L);
  }
}
