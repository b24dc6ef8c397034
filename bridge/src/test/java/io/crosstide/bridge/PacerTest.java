package io.crosstide.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PacerTest {
  private static final long MILLI = 1_000_000;
  private final AtomicLong now = new AtomicLong(1);
  private final Pacer pacer = new Pacer(now::get);

  @Test
  void doesNotHoldBackOnAShortLine() {
    pacer.sample(MILLI);
    pacer.sent();
    assertThat(pacer.nanosToWait()).isZero();
  }

  @Test
  void spreadsFiveRequestsOverTheRoundTrip() {
    pacer.sample(80 * MILLI);
    pacer.sent();
    assertThat(pacer.nanosToWait()).isEqualTo(16 * MILLI);
    now.addAndGet(10 * MILLI);
    assertThat(pacer.nanosToWait()).isEqualTo(6 * MILLI);
    now.addAndGet(10 * MILLI);
    assertThat(pacer.nanosToWait()).isZero();
  }

  @Test
  void sendsAtOnceAfterAPause() {
    pacer.sample(80 * MILLI);
    assertThat(pacer.nanosToWait()).isZero();
  }

  @Test
  void takesTheQuickestAcknowledgementOfTheLastSeconds() {
    pacer.sample(80 * MILLI);
    pacer.sample(200 * MILLI);
    assertThat(pacer.roundTripNanos()).isEqualTo(80 * MILLI);
    now.addAndGet(6_000 * MILLI);
    pacer.sample(100 * MILLI);
    now.addAndGet(6_000 * MILLI);
    pacer.sample(100 * MILLI);
    assertThat(pacer.roundTripNanos()).isEqualTo(100 * MILLI);
  }

  @Test
  void waitsBrieflyAtMostHoweverSlowTheLineLooksAfterACut() {
    pacer.sample(60_000 * MILLI);
    pacer.sent();
    assertThat(pacer.nanosToWait()).isEqualTo(50 * MILLI);
  }
}
