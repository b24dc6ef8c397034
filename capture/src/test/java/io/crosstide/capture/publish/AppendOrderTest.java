package io.crosstide.capture.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class AppendOrderTest {
  private static final int OWN_EPOCH = 5;

  private final List<Long> acknowledged = new CopyOnWriteArrayList<>();
  private final List<Integer> takenOver = new CopyOnWriteArrayList<>();
  private final ConcurrentLinkedQueue<String> asked = new ConcurrentLinkedQueue<>();
  private final CountDownLatch answer = new CountDownLatch(1);
  private final AtomicInteger failures = new AtomicInteger();
  private volatile int foreignEpoch;
  private final AppendOrder order = new AppendOrder(2, OWN_EPOCH, this::epochMax, takenOver::add);

  private int epochMax(int partition, long from, long to) {
    asked.add(partition + ":" + from + "-" + to);
    if (failures.getAndDecrement() > 0) {
      throw new TimeoutException("Kafka is away");
    }
    try {
      answer.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return foreignEpoch;
  }

  @AfterEach
  void close() {
    answer.countDown();
    order.close();
  }

  private void append(int partition, long offset) {
    order.appended(partition, offset, () -> acknowledged.add(offset));
  }

  @Test
  void whatFollowsItselfIsAcknowledgedAtOnceAndNobodyIsAsked() {
    order.startsBehind(0, 9);
    order.startsBehind(1, 99);
    append(0, 10);
    append(1, 100);
    append(0, 11);
    assertThat(acknowledged).containsExactly(10L, 100L, 11L);
    assertThat(asked).isEmpty();
  }

  @Test
  void behindAGapNothingIsAcknowledgedBeforeItIsReadAndAllIfItIsOfAnOlderCapture() {
    foreignEpoch = OWN_EPOCH - 1;
    order.startsBehind(0, 9);
    append(0, 10);
    append(0, 13);
    append(0, 14);
    append(1, 100);
    await().until(() -> !asked.isEmpty());
    assertThat(acknowledged).containsExactly(10L);
    answer.countDown();
    await().until(() -> acknowledged.size() == 4);
    assertThat(acknowledged).containsExactly(10L, 13L, 14L, 100L);
    assertThat(asked).containsExactly("0:11-13");
    append(0, 15);
    assertThat(acknowledged).endsWith(15L);
    assertThat(takenOver).isEmpty();
  }

  @Test
  void behindANewerCapturesRecordsNothingIsEverAcknowledged() throws Exception {
    foreignEpoch = OWN_EPOCH + 1;
    answer.countDown();
    order.startsBehind(0, 9);
    append(0, 11);
    await().until(() -> !takenOver.isEmpty());
    append(0, 12);
    order.settle();
    assertThat(takenOver).containsExactly(OWN_EPOCH + 1);
    assertThat(acknowledged).isEmpty();
  }

  @Test
  void aGapThatCannotBeReadYetIsReadLater() {
    failures.set(2);
    answer.countDown();
    order.startsBehind(0, 9);
    append(0, 11);
    await().until(() -> acknowledged.equals(List.of(11L)));
    assertThat(asked).hasSize(3);
  }

  /** Kafka answers so for a record sent twice whose first answer was lost. */
  @Test
  void anOffsetThatKafkaDoesNotTellIsTakenForTheNext() {
    order.startsBehind(0, 9);
    append(0, -1);
    append(0, 11);
    assertThat(asked).isEmpty();
    assertThat(acknowledged).containsExactly(-1L, 11L);
  }
}
