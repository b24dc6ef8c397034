package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class HybridLogicalClockTest {
  private static final long SKEW_MAX = 500;
  private long wall = 1_000_000;
  private final HybridLogicalClock clock = new HybridLogicalClock(() -> wall, SKEW_MAX);

  @Test
  void stampsFollowTheWallClock() {
    assertThat(clock.next()).isEqualTo(HybridTimestamp.of(wall, 0));
    wall += 5;
    assertThat(clock.next()).isEqualTo(HybridTimestamp.of(wall, 0));
  }

  @Test
  void withinAMillisecondTheCounterRises() {
    clock.next();
    assertThat(clock.next()).isEqualTo(HybridTimestamp.of(wall, 1));
  }

  @Test
  void moreThan65536StampsInAMillisecondRunIntoTheNext() {
    clock.resumeAfter(HybridTimestamp.of(wall, 0xffff));
    assertThat(clock.next()).isEqualTo(HybridTimestamp.of(wall + 1, 0));
  }

  @Test
  void neverRepeatsAndNeverGoesBackWhateverTheWallClockDoes() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      HybridLogicalClock each = new HybridLogicalClock(() -> wall, SKEW_MAX);
      HybridTimestamp last = HybridTimestamp.ZERO;
      for (int i = 0; i < 200; i++) {
        wall = Math.max(0, wall + random.nextInt(2_000) - 1_000);
        HybridTimestamp other = HybridTimestamp.of(random.nextInt(3_000_000), random.nextInt(9));
        switch (random.nextInt(4)) {
          case 0 -> each.observe(other);
          case 1 -> each.resumeAfter(last);
          default -> {
            boolean given = random.nextBoolean();
            HybridTimestamp next = given ? each.nextAt(random.nextInt(3_000_000)) : each.next();
            assertThat(next).as("seed %d, step %d", seed, i).isGreaterThan(last);
            last = next;
          }
        }
      }
    }
  }

  @Test
  void exceedsWhatItObserved() {
    HybridTimestamp ahead = HybridTimestamp.of(wall + SKEW_MAX - 1, 7);
    clock.observe(ahead);
    assertThat(clock.next()).isGreaterThan(ahead);
    assertThat(clock.skewMillis()).isEqualTo(SKEW_MAX - 1);
  }

  @Test
  void followsAWrongClockOnlyToTheSkewLimitAndTellsHowWrongItWas() { // P28
    clock.observe(HybridTimestamp.of(wall + 3_600_000, 0));
    assertThat(clock.skewMillis()).isEqualTo(3_600_000);
    assertThat(clock.next().physicalMillis()).isEqualTo(wall + SKEW_MAX);
    clock.observe(HybridTimestamp.of(wall - 10, 0));
    assertThat(clock.skewMillis()).isZero();
  }

  @Test
  void resumesAfterItsOwnLastStampThoughTheWallClockWentBack() {
    HybridTimestamp last = HybridTimestamp.of(wall + 9_000_000, 3);
    clock.resumeAfter(last);
    assertThat(clock.next()).isGreaterThan(last);
  }

  @Test
  void anEventOfThePastGetsAStampOfNowIfNowWasIssued() {
    HybridTimestamp issued = clock.next();
    assertThat(clock.nextAt(wall - 100)).isGreaterThan(issued);
  }
}
