package io.crosstide.streams.thread;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.junit.jupiter.api.Test;

class ThreadWakerTest {
  private static final Duration TIMEOUT = Duration.ofMillis(40);

  private final ThreadWaker waker = new ThreadWaker();
  private final List<String> calls = new ArrayList<>();
  private final Consumer<byte[], byte[]> consumer =
      new MockConsumer<>("earliest") {
        @Override
        public synchronized void wakeup() {
          calls.add("wakeup");
        }
      };

  /** One poll that brings {@code records}; returns for how long it was allowed to wait. */
  private Duration poll(int records) {
    Duration allowed = waker.enterPoll(consumer, TIMEOUT);
    waker.leavePoll(records, true);
    return allowed;
  }

  private static void awaitPassed(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aWakeUpBeforeThePollMakesItReturnAtOnceButNotTheNext() {
    waker.wakeUp();
    assertThat(poll(0)).isZero();
    assertThat(poll(0)).isEqualTo(TIMEOUT);
  }

  @Test
  void aWakeUpDuringThePollEndsItOnce() {
    waker.enterPoll(consumer, TIMEOUT);
    waker.wakeUp();
    waker.wakeUp();
    waker.leavePoll(0, false);
    assertThat(calls).containsExactly("wakeup");
  }

  @Test
  void everyPollCanBeWokenAnew() {
    for (int i = 0; i < 3; i++) {
      waker.enterPoll(consumer, TIMEOUT);
      waker.wakeUp();
      waker.leavePoll(0, false);
    }
    assertThat(calls).hasSize(3);
  }

  @Test
  void afterAFewRecordsTheThreadRestsLongerThanTheyTook() {
    poll(3);
    awaitPassed(1);
    long begin = System.nanoTime();
    poll(0);
    assertThat(System.nanoTime() - begin).isGreaterThan(TimeUnit.MICROSECONDS.toNanos(3_500));
    assertThat(waker.hasRested()).isTrue();
    poll(0);
    assertThat(waker.hasRested()).as("after a poll without records").isFalse();
  }

  @Test
  void whileOthersAreSilentTheThreadRestsLonger() {
    waker.enterPoll(consumer, TIMEOUT);
    waker.leavePoll(3, true);
    awaitPassed(2_050);
    waker.enterPoll(consumer, TIMEOUT);
    waker.leavePoll(3, false);
    long begin = System.nanoTime();
    poll(3);
    assertThat(System.nanoTime() - begin).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(19));
    // Others write again: the least of several, for any one may be held up.
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      poll(3);
      begin = System.nanoTime();
      poll(0);
      least = Math.min(least, System.nanoTime() - begin);
    }
    assertThat(least).isLessThan(TimeUnit.MILLISECONDS.toNanos(15));
  }

  @Test
  void aWakeUpEndsTheWaitForMoreRecords() {
    poll(3);
    awaitPassed(1);
    waker.wakeUp();
    assertThat(poll(0)).isZero();
  }

  @Test
  void routineNewsWakeOnlyAThreadThatReadsNothing() {
    poll(3);
    waker.wakeUpIfIdle();
    assertThat(poll(0)).isEqualTo(TIMEOUT);
    awaitPassed(12);
    waker.wakeUpIfIdle();
    assertThat(poll(0)).isZero();
  }

  @Test
  void workIsLookedAtBeforeEachPoll() {
    ThreadWaker.Work work =
        new ThreadWaker.Work() {
          @Override
          public void beforePoll() {
            calls.add("before");
          }

          @Override
          public boolean isWaiting() {
            return calls.size() == 1;
          }
        };
    waker.addWork(work);
    assertThat(poll(0)).as("while work is left").isEqualTo(Duration.ofMillis(1));
    assertThat(poll(0)).isEqualTo(TIMEOUT);
    waker.removeWork(work);
    poll(0);
    assertThat(calls).containsExactly("before", "before");
  }
}
