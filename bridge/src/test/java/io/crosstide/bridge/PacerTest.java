package io.crosstide.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class PacerTest {
  private static final long MILLI = 1_000_000;
  private final AtomicLong now = new AtomicLong(1);
  private final Pacer pacer = new Pacer(now::get);

  @Test
  void doesNotHoldBackOnAShortLine() {
    pacer.sample(MILLI);
    pacer.sending();
    assertThat(pacer.nanosToWait()).isZero();
  }

  @Test
  void pausesForAFifthOfTheRoundTrip() {
    pacer.sample(60 * MILLI);
    pacer.sending();
    assertThat(pacer.nanosToWait()).isEqualTo(12 * MILLI);
    now.addAndGet(7 * MILLI);
    assertThat(pacer.nanosToWait()).isEqualTo(5 * MILLI);
    now.addAndGet(7 * MILLI);
    assertThat(pacer.nanosToWait()).isZero();
  }

  @Test
  void sendsAtOnceAfterAPause() {
    pacer.sample(80 * MILLI);
    assertThat(pacer.nanosToWait()).isZero();
  }

  @Test
  void followsALineThatBecomesLonger() {
    pacer.sample(20 * MILLI);
    for (int i = 0; i < 50; i++) {
      pacer.sample(100 * MILLI);
    }
    pacer.sending();
    assertThat(pacer.nanosToWait()).isCloseTo(100 * MILLI / 5, Offset.offset(MILLI / 4));
  }

  @Test
  void waitsBrieflyAtMostHoweverSlowTheLineLooksAfterACut() {
    pacer.sample(60_000 * MILLI);
    pacer.sending();
    assertThat(pacer.nanosToWait()).isEqualTo(50 * MILLI);
  }
}
