package io.crosstide.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StallDetectorTest {
  private final AtomicLong now = new AtomicLong(1);
  private final AtomicBoolean reachable = new AtomicBoolean();
  private final AtomicInteger asked = new AtomicInteger();
  private final StallDetector detector =
      new StallDetector(
          now::get,
          () -> {
            asked.incrementAndGet();
            return reachable.get();
          });

  @Test
  void aCutLineIsNoStallHoweverLongItLasts() throws InterruptedException {
    for (int i = 0; i < 1_000; i++) {
      pass(10);
      assertThat(detector.isStalled(1)).isFalse();
    }
  }

  @Test
  void aTargetThatAnswersButAcknowledgesNothingForAMinuteIsAStall() throws InterruptedException {
    reachable.set(true);
    pass(59);
    assertThat(detector.isStalled(1)).isFalse();
    assertThat(asked.get()).isZero();
    pass(2);
    assertThat(detector.isStalled(1)).isFalse();
    pass(15);
    assertThat(detector.isStalled(1)).isTrue();
  }

  @Test
  void anAcknowledgementBetweenTheQuestionsClearsIt() throws InterruptedException {
    reachable.set(true);
    pass(61);
    assertThat(detector.isStalled(1)).isFalse();
    pass(15);
    assertThat(detector.isStalled(now.get())).isFalse();
    pass(60);
    assertThat(detector.isStalled(now.get() - TimeUnit.SECONDS.toNanos(60))).isFalse();
  }

  private void pass(long seconds) {
    now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }
}
