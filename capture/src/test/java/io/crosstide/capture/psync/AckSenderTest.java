package io.crosstide.capture.psync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class AckSenderTest {
  private final List<Long> acks = new CopyOnWriteArrayList<>();
  private final AtomicInteger keepAlives = new AtomicInteger();
  private final AtomicLong durable = new AtomicLong();
  private final AckSender sender =
      new AckSender(
          new AckSender.Wire() {
            @Override
            public void ack(long replOffset) {
              acks.add(replOffset);
            }

            @Override
            public void keepAlive() {
              keepAlives.incrementAndGet();
            }
          },
          durable::get,
          "acks");

  @BeforeEach
  void start() {
    sender.start();
  }

  @AfterEach
  void stop() {
    sender.close();
  }

  private static void within(long millis, java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await()
        .atMost(Duration.ofMillis(millis))
        .pollInterval(Duration.ofMillis(2))
        .until(condition);
  }

  @Test
  void theStreamBeginsWithOneAckAtOnce() {
    sender.streaming();
    within(900, () -> acks.equals(List.of(0L)));
  }

  @Test
  void theUnchangedOffsetIsRepeatedEverySecond() {
    durable.set(7);
    sender.streaming();
    within(3_500, () -> acks.size() >= 3);
    assertThat(acks).containsOnly(7L);
  }

  @Test
  void aSnapshotIsKeptAliveWithoutAcks() {
    sender.snapshot();
    within(3_500, () -> keepAlives.get() >= 2);
    assertThat(acks).isEmpty();
  }

  @Test
  void aGetAckIsAnsweredAtOnceIfAllBeforeItIsDurable() {
    durable.set(100);
    sender.streaming();
    within(900, () -> acks.size() == 1);
    sender.asked(100);
    within(900, () -> acks.size() == 2);
    assertThat(acks).containsExactly(100L, 100L);
  }

  @Test
  void aGetAckIsRememberedUntilWhatStandsBeforeItIsDurable() {
    durable.set(10);
    sender.streaming();
    within(900, () -> acks.size() == 1);
    sender.asked(30);
    durable.set(20);
    sender.advanced();
    within(900, () -> acks.contains(20L));
    durable.set(35);
    sender.advanced();
    within(900, () -> acks.contains(35L));
  }
}
