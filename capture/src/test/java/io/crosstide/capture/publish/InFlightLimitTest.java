package io.crosstide.capture.publish;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

final class InFlightLimitTest {
  @Test
  void whatFitsPassesAtOnce() throws InterruptedException {
    InFlightLimit limit = new InFlightLimit(1_000, 10);
    limit.acquire(600);
    limit.acquire(400);
    assertThat(limit.bytes()).isEqualTo(1_000);
    assertThat(limit.records()).isEqualTo(2);
  }

  @Test
  void oneRecordLargerThanTheLimitPassesAlone() throws InterruptedException {
    InFlightLimit limit = new InFlightLimit(1_000, 10);
    limit.acquire(5_000);
    assertThat(limit.bytes()).isEqualTo(5_000);
  }

  @Test
  void tooManyBytesWaitUntilThreeQuartersAreFree() throws InterruptedException {
    waitsUntil(new InFlightLimit(1_000, 100), 250, 4);
  }

  @Test
  void tooManyRecordsWait() throws InterruptedException {
    waitsUntil(new InFlightLimit(1_000_000, 8), 1, 8);
  }

  private static void waitsUntil(InFlightLimit limit, int size, int fitting)
      throws InterruptedException {
    for (int i = 0; i < fitting; i++) {
      limit.acquire(size);
    }
    AtomicBoolean passed = new AtomicBoolean();
    Thread acquirer = acquirer(limit, size, passed);
    Awaitility.await().until(() -> acquirer.getState() == Thread.State.WAITING);
    assertThat(passed).isFalse();
    for (int i = 0; i < fitting; i++) {
      limit.release(size);
    }
    acquirer.join();
    assertThat(passed).isTrue();
    assertThat(limit.records()).isEqualTo(1);
  }

  @Test
  void anAbortLetsTheWaiterGo() throws InterruptedException {
    InFlightLimit limit = new InFlightLimit(10, 10);
    limit.acquire(10);
    AtomicBoolean passed = new AtomicBoolean();
    Thread acquirer = acquirer(limit, 10, passed);
    Awaitility.await().until(() -> acquirer.getState() == Thread.State.WAITING);
    limit.abort();
    acquirer.join(Duration.ofSeconds(5).toMillis());
    assertThat(passed).isTrue();
  }

  @Test
  void anInterruptEndsTheWaitWithoutAcquiring() throws InterruptedException {
    InFlightLimit limit = new InFlightLimit(10, 10);
    limit.acquire(10);
    AtomicBoolean passed = new AtomicBoolean();
    Thread acquirer = acquirer(limit, 10, passed);
    acquirer.interrupt();
    acquirer.join(Duration.ofSeconds(5).toMillis());
    assertThat(passed).isFalse();
    assertThat(limit.records()).isEqualTo(1);
  }

  private static Thread acquirer(InFlightLimit limit, int size, AtomicBoolean passed) {
    Thread acquirer =
        new Thread(
            () -> {
              try {
                limit.acquire(size);
                passed.set(true);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    acquirer.start();
    return acquirer;
  }
}
