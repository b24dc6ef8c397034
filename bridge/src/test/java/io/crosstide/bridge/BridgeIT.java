package io.crosstide.bridge;

import static io.crosstide.bridge.TwoRegions.LOG;
import static io.crosstide.bridge.TwoRegions.PARTITIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.crosstide.sandbox.wan.WanEmulator;
import io.crosstide.schemas.Limits;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class BridgeIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  @TempDir Path dir;

  @Test
  void copiesRecordsByteForByteToTheSamePartition() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      List<Header> headers =
          List.of(new RecordHeader("x", new byte[] {0, -1, 7}), new RecordHeader("y", null));
      byte[] key = {0, 1, -128, 'k'};
      byte[] value = "\0 value \0".getBytes(StandardCharsets.UTF_8);
      try (KafkaProducer<byte[], byte[]> producer = regions.producerAtA()) {
        producer.send(new ProducerRecord<>(LOG, 2, 123_456_789_000L, key, value, headers)).get();
        producer
            .send(
                new ProducerRecord<byte[], byte[]>(LOG, 2, 123_456_789_001L, null, null, List.of()))
            .get();
      }
      Bridge bridge = regions.bridge();
      await().atMost(SOON).untilAsserted(() -> assertThat(regions.endAtB(2)).isEqualTo(2));
      List<ConsumerRecord<byte[], byte[]>> copies = regions.recordsAtB(LOG, 2);
      ConsumerRecord<byte[], byte[]> copy = copies.get(0);
      assertThat(copy.key()).isEqualTo(key);
      assertThat(copy.value()).isEqualTo(value);
      assertThat(copy.timestamp()).isEqualTo(123_456_789_000L);
      assertThat(copy.headers().toArray()).containsExactlyElementsOf(headers);
      assertThat(copies.get(1).key()).isNull();
      assertThat(copies.get(1).value()).isNull();
      await().untilAsserted(() -> assertThat(bridge.snapshot().events()).isEqualTo(2));
      assertThat(bridge.snapshot().wireBytes()).isPositive();
      assertThat(bridge.snapshot().state()).isEqualTo(BridgeState.RUNNING);
    }
  }

  @Test
  void losesDoublesAndReordersNothingWhenTheLineIsCutUnderLoad() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      regions.wan.delay("a", "b", Duration.ofMillis(5));
      Bridge bridge = regions.bridge();
      AtomicBoolean enough = new AtomicBoolean();
      CompletableFuture<Long> load =
          CompletableFuture.supplyAsync(() -> writeUntil(enough, regions));
      for (int cut = 1; cut <= 3; cut++) {
        long until = bridge.snapshot().events() + PARTITIONS * 300L;
        await().atMost(SOON).until(() -> bridge.snapshot().events() >= until);
        regions.wan.cut("a", "b");
        await().atMost(SOON).until(() -> bridge.snapshot().inFlightEvents() > 0);
        regions.wan.heal("a", "b");
      }
      enough.set(true);
      long events = load.get();
      await().atMost(SOON).until(() -> bridge.snapshot().backlogEvents() == 0);
      for (int p = 0; p < PARTITIONS; p++) {
        assertThat(regions.numbersAtB(p)).isEqualTo(numbers(1, events));
      }
      assertThat(bridge.snapshot().restarts()).isZero();
      assertThat(bridge.snapshot().events()).isEqualTo(events * PARTITIONS);
    }
  }

  @Test
  void sendsAgainWhatWasNotStoredWhenKilledAndNothingElse() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      AtomicBoolean enough = new AtomicBoolean();
      CompletableFuture<Long> load =
          CompletableFuture.supplyAsync(() -> writeUntil(enough, regions));
      for (int kill = 1; kill <= 3; kill++) {
        Bridge bridge = regions.bridge();
        await().atMost(SOON).until(() -> bridge.snapshot().events() > 500);
        bridge.abort();
      }
      Bridge last = regions.bridge();
      enough.set(true);
      long events = load.get();
      await()
          .atMost(SOON)
          .until(() -> last.snapshot().events() > 0 && last.snapshot().backlogEvents() == 0);
      for (int p = 0; p < PARTITIONS; p++) {
        List<Long> copied = regions.numbersAtB(p);
        assertThat(withoutRepetitions(copied)).isEqualTo(numbers(1, events));
        assertGapFree(copied);
      }
    }
  }

  @Test
  void doublesNothingWhenClosedAndStartedAgain() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      regions.write(1, 501);
      Bridge first = regions.bridge();
      await().atMost(SOON).until(() -> first.snapshot().events() > 0);
      first.close();
      assertThat(first.snapshot().state()).isEqualTo(BridgeState.CLOSED);
      regions.write(501, 1001);
      Bridge second = regions.bridge();
      await().atMost(SOON).until(() -> regions.endAtB(0) >= 1000);
      await().atMost(SOON).until(() -> second.snapshot().backlogEvents() == 0);
      for (int p = 0; p < PARTITIONS; p++) {
        assertThat(regions.numbersAtB(p)).isEqualTo(numbers(1, 1000));
      }
    }
  }

  @Test
  void waitsForTheTargetAndForTopics() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startA()) {
      Bridge bridge = regions.bridge();
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(bridge.snapshot().trouble()).contains(LOG, "a yet"));
      regions.createLog(regions.lanOfA());
      regions.write(1, 11);
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(bridge.snapshot().backlogEvents()).isEqualTo(30));
      regions.startB();
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(bridge.snapshot().trouble()).contains("b yet"));
      regions.createLog(regions.lanOfB());
      await().atMost(SOON).untilAsserted(() -> assertThat(regions.endAtB(0)).isEqualTo(10));
      await().atMost(SOON).until(() -> bridge.snapshot().trouble() == null);
      assertThat(bridge.snapshot().restarts()).isZero();
    }
  }

  @Test
  void goesOnWhenEitherBrokerRestarts() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      Bridge bridge = regions.bridge();
      regions.write(1, 101);
      await().atMost(SOON).until(() -> regions.endAtB(0) == 100);
      regions.stopB();
      regions.write(101, 201);
      regions.startB();
      await().atMost(SOON).until(() -> bridge.snapshot().backlogEvents() == 0);
      regions.stopA();
      regions.startA();
      regions.write(201, 301);
      await().atMost(SOON).until(() -> regions.endAtB(0) >= 300);
      await().atMost(SOON).until(() -> bridge.snapshot().backlogEvents() == 0);
      for (int p = 0; p < PARTITIONS; p++) {
        assertThat(withoutRepetitions(regions.numbersAtB(p))).isEqualTo(numbers(1, 300));
      }
    }
  }

  @Test
  void leavesOutWhatAReplacedCaptureAppended() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      try (KafkaProducer<byte[], byte[]> producer = regions.producerAtA()) {
        producer.send(TwoRegions.event(0, 1, 1)).get();
        producer.send(TwoRegions.event(0, 2, 2)).get();
        producer.send(TwoRegions.event(0, 2, 1)).get();
        producer.send(TwoRegions.event(0, 3, 2)).get();
        producer.send(TwoRegions.event(1, 9, 1)).get();
      }
      Bridge bridge = regions.bridge();
      await().atMost(SOON).until(() -> regions.endAtB(0) == 3 && regions.endAtB(1) == 1);
      assertThat(regions.numbersAtB(0)).containsExactly(1L, 2L, 3L);
      assertThat(bridge.snapshot().fencedEvents()).isEqualTo(1);
      await().atMost(SOON).untilAsserted(() -> assertThat(regions.committed(0)).isEqualTo(4));
    }
  }

  @Test
  void startsFromTheBeginningWhenTheTargetLostItsLog() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      regions.write(1, 101);
      Bridge first = regions.bridge();
      await().atMost(SOON).until(() -> first.snapshot().events() == 100L * PARTITIONS);
      first.close();
      TwoRegions.deleteTopic(regions.lanOfB(), LOG);
      await()
          .atMost(SOON)
          .ignoreExceptions()
          .untilAsserted(() -> regions.createLog(regions.lanOfB()));
      regions.bridge();
      await().atMost(SOON).until(() -> regions.endAtB(0) == 100);
      assertThat(regions.numbersAtB(0)).isEqualTo(numbers(1, 100));
    }
  }

  @Test
  void holdsNoMoreThanItsBoundWhileTheLineIsCutAndSaysHowFarItIsBehind() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      BridgeConfig usual = BridgeConfig.of("a", "b", regions.lanOfA(), regions.link.address());
      BridgeConfig small =
          new BridgeConfig(
              "a",
              "b",
              usual.topics(),
              usual.sourceBootstrap(),
              usual.targetBootstrap(),
              usual.sourceProperties(),
              usual.targetProperties(),
              "lz4",
              20_000,
              usual.commitInterval(),
              usual.closeTimeout());
      Bridge bridge = regions.bridge(small);
      regions.write(1, 2);
      await().atMost(SOON).until(() -> bridge.snapshot().events() == PARTITIONS);
      regions.wan.cut("a", "b");
      regions.write(2, 1001);
      await()
          .atMost(SOON)
          .untilAsserted(
              () -> assertThat(bridge.snapshot().backlogEvents()).isEqualTo(999L * PARTITIONS));
      assertThat(bridge.snapshot().inFlightEvents()).isBetween(50L, 20_000L / 100);
      await().until(() -> bridge.snapshot().lagMillis() > 500);
      regions.wan.heal("a", "b");
      await().atMost(SOON).until(() -> bridge.snapshot().backlogEvents() == 0);
      assertThat(bridge.snapshot().lagMillis()).isZero();
      for (int p = 0; p < PARTITIONS; p++) {
        assertThat(regions.numbersAtB(p)).isEqualTo(numbers(1, 1000));
      }
    }
  }

  /** Appends events to every partition until told to stop; returns the number of the last. */
  private static long writeUntil(AtomicBoolean enough, TwoRegions regions) {
    try {
      long last = 0;
      while (!enough.get()) {
        regions.write(last + 1, last + 51);
        last += 50;
      }
      return last;
    } catch (Exception e) {
      throw new AssertionError("the load cannot be written", e);
    }
  }

  @Test
  void goesOnAfterALineThatWentSilent() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      Bridge bridge =
          regions.bridge(
              BridgeConfig.of("a", "b", regions.lanOfA(), regions.link.address())
                  .withProperties(Map.of(), Map.of("request.timeout.ms", "1000")));
      regions.write(1, 101);
      await().atMost(SOON).until(() -> bridge.snapshot().events() == 100L * PARTITIONS);
      regions.wan.cut("a", "b", WanEmulator.CutKind.SILENT);
      regions.write(101, 201);
      await().atMost(SOON).until(() -> bridge.snapshot().lagMillis() > 3_000);
      regions.wan.heal("a", "b");
      await().atMost(SOON).until(() -> bridge.snapshot().backlogEvents() == 0);
      for (int p = 0; p < PARTITIONS; p++) {
        assertThat(regions.numbersAtB(p)).isEqualTo(numbers(1, 200));
      }
    }
  }

  @Test
  void copiesTheLargestEvent() throws Exception {
    try (TwoRegions regions = new TwoRegions(dir).startAll()) {
      byte[] value = new byte[Limits.EVENT_BYTES_MAX];
      new Random(1).nextBytes(value);
      try (KafkaProducer<byte[], byte[]> producer =
          regions.producerAtA(
              Map.of(
                  "max.request.size",
                  Limits.RECORD_BYTES_MAX,
                  "buffer.memory",
                  2L * Limits.RECORD_BYTES_MAX))) {
        producer.send(new ProducerRecord<>(LOG, 0, null, value)).get();
      }
      regions.bridge();
      await().atMost(SOON).until(() -> regions.endAtB(0) == 1);
      assertThat(regions.recordsAtB(LOG, 0).get(0).value()).isEqualTo(value);
    }
  }

  private static List<Long> numbers(long from, long to) {
    return LongStream.rangeClosed(from, to).boxed().toList();
  }

  private static List<Long> withoutRepetitions(List<Long> all) {
    return new ArrayList<>(new LinkedHashSet<>(all));
  }

  /** What a receiver demands: each number was preceded by all before it. */
  private static void assertGapFree(List<Long> copied) {
    long highest = 0;
    for (long number : copied) {
      assertThat(number).isLessThanOrEqualTo(highest + 1);
      highest = Math.max(highest, number);
    }
  }
}
