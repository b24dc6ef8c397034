package io.crosstide.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LagWindowTest {
  private final AtomicLong now = new AtomicLong();
  private final LagWindow window = new LagWindow(now::get);

  @Test
  void quantilesAreExactForSmallAndSixteenthsForLargeDelays() {
    for (int i = 1; i <= 99; i++) {
      window.record(3);
    }
    window.record(5_000);
    assertThat(window.quantile(0.5)).isEqualTo(3);
    assertThat(window.quantile(0.99)).isEqualTo(3);
    assertThat(window.quantile(1)).isBetween(5_000L, 5_320L);
  }

  @Test
  void forgetsAfterTwoWindowsAndNotBefore() {
    window.record(7);
    now.set(20_000_000_000L);
    assertThat(window.quantile(0.5)).isEqualTo(7);
    now.set(60_000_000_000L);
    assertThat(window.quantile(0.5)).isZero();
  }

  @Test
  void everyDelayFallsIntoABucketThatContainsIt() {
    for (long millis = 0; millis < 1L << 40; millis = millis * 3 / 2 + 1) {
      int bucket = LagWindow.bucket(millis);
      assertThat(LagWindow.upperEnd(bucket)).isGreaterThanOrEqualTo(millis);
      if (bucket > 0) {
        assertThat(LagWindow.upperEnd(bucket - 1)).isLessThan(millis);
      }
    }
  }

  @Test
  void aStampFromAClockAheadCountsAsNoDelay() {
    window.record(-50);
    assertThat(window.quantile(1)).isZero();
  }
}
