package io.crosstide.schemas.log;

import static io.crosstide.schemas.log.MockLogs.log;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class LogTailsTest {
  private static final int CHUNK = 500;
  private static final LogTail.Reach NOTHING_KNOWN = LogTail.Reach.known(0, 0);

  private final MockLogs log = new MockLogs(3);

  private LogTail tail(LogTail.Reach reach) {
    return tail(CHUNK, reach);
  }

  private LogTail tail(int chunk, LogTail.Reach reach) {
    return of(tails(chunk).read(Map.of(log(0), reach), (record, header) -> {}), 0);
  }

  private static LogTail of(Map<TopicPartition, LogTail> read, int partition) {
    return Objects.requireNonNull(read.get(log(partition)));
  }

  private LogTails tails(int chunk) {
    return new LogTails(log, chunk, Duration.ofSeconds(10));
  }

  private long end(LogTail.Reach reach) {
    return tail(reach).seq();
  }

  private static LogTail.Reach known(int captureEpoch, long seq) {
    return LogTail.Reach.known(captureEpoch, seq);
  }

  private static LogTail.Reach running(int captureEpoch) {
    return LogTail.Reach.running(captureEpoch);
  }

  @Test
  void anEmptyLogEndsAtZero() {
    for (LogTail.Reach reach : List.of(NOTHING_KNOWN, running(0), running(3))) {
      assertThat(end(reach)).isZero();
      assertThat(tail(reach).captureEpoch()).isZero();
      assertThat(tail(reach).lastEventOffset()).isEqualTo(LogTail.NONE);
    }
  }

  @Test
  void aControlEventTellsTheLastSeq() {
    log.events(0, 1, 1, 7);
    log.control(0, 1, 7);
    assertThat(end(NOTHING_KNOWN)).isEqualTo(7);
    assertThat(end(running(1))).isEqualTo(7);
    assertThat(tail(NOTHING_KNOWN).lastEventOffset()).isEqualTo(6);
  }

  @Test
  void aFenceMayNameALowerSeqThanTheEventBeforeIt() {
    log.events(0, 1, 1, 900);
    log.control(0, 2, 890);
    assertThat(end(NOTHING_KNOWN)).isEqualTo(900);
    assertThat(tail(1, running(2)).seq()).isEqualTo(900);
    assertThat(tail(1, running(0)).seq()).isEqualTo(900);
    assertThat(tail(NOTHING_KNOWN).lastEventOffset()).isEqualTo(899);
  }

  @Test
  void whatAFencedCaptureStillAppendedDoesNotCount() {
    log.events(0, 1, 1, 100);
    log.control(0, 2, 100);
    log.events(0, 2, 101, 103);
    log.events(0, 1, 101, 120);
    assertThat(end(NOTHING_KNOWN)).isEqualTo(103);
    assertThat(end(known(1, 90))).isEqualTo(103);
    assertThat(tail(1, running(2)).seq()).isEqualTo(103);
    assertThat(tail(NOTHING_KNOWN).captureEpoch()).isEqualTo(2);
    assertThat(tail(NOTHING_KNOWN).lastEventOffset()).isEqualTo(103);
  }

  @Test
  void aTailThatBeginsAmongAFencedCapturesRecordsIsNotMisledByThem() {
    log.events(0, 1, 1, 2_000);
    log.control(0, 2, 2_000);
    log.events(0, 1, 2_001, 2_600);
    for (int beat = 0; beat < 4; beat++) {
      log.control(0, 2, 2_000);
    }
    assertThat(tail(16, running(2)).seq()).isEqualTo(2_000);
    log.control(0, 3, 2_000);
    assertThat(tail(16, running(3)).seq()).isEqualTo(2_000);
    assertThat(log.from(0)).isEqualTo(2_606 - 16);
    assertThat(end(known(1, 1_990))).isEqualTo(2_000);
  }

  @Test
  void aFenceBetweenTwoEpochsMayStandFurtherBack() {
    log.events(0, 1, 1, 2_000);
    log.control(0, 2, 2_000);
    log.events(0, 1, 2_001, 2_600);
    log.control(0, 3, 2_000);
    assertThat(tail(16, running(3)).seq()).isEqualTo(2_000);
  }

  @Test
  void allThatAFencedCaptureHadInFlightIsLookedThrough() {
    log.events(0, 1, 1, 2_000);
    log.control(0, 2, 2_000);
    log.events(0, 2, 2_001, 2_003);
    log.events(0, 1, 2_001, 2_001 + 20_000);
    assertThat(end(known(1, 1_990))).isEqualTo(2_003);
    assertThat(end(known(2, 2_002))).isEqualTo(2_003);
    assertThat(end(running(2))).isEqualTo(2_003);
  }

  @Test
  void aLongLogIsReadNoFurtherBackThanIsKnown() {
    log.events(0, 1, 1, 50_000);
    assertThat(end(known(1, 49_900))).isEqualTo(50_000);
    assertThat(log.from(0)).isEqualTo(50_000 - CHUNK);
  }

  @Test
  void aLongLogOfWhichNothingIsKnownIsReadAsFarBackAsACaptureHasInFlight() {
    log.events(0, 1, 1, 200_000);
    assertThat(end(NOTHING_KNOWN)).isEqualTo(200_000);
    assertThat(log.from(0)).isEqualTo(200_000 - LogTail.IN_FLIGHT_RECORDS);
  }

  @Test
  void ofALogOfTheCaptureThatRunsTheLastRecordIsEnough() {
    log.events(0, 1, 1, 900);
    assertThat(tail(1, running(1)).seq()).isEqualTo(900);
    assertThat(log.from(0)).isEqualTo(899);
  }

  @Test
  void aCaptureThatHasWrittenNothingYetLeavesTheEndAsItIs() {
    log.events(0, 1, 1, 900);
    assertThat(end(running(2))).isEqualTo(900);
  }

  @Test
  void aLogThatHasLostItsBeginningIsReadFromWhereItBegins() {
    log.events(0, 1, 1, 900);
    log.updateBeginningOffsets(Map.of(log(0), 880L));
    assertThat(end(running(2))).isEqualTo(900);
    assertThat(log.from(0)).isEqualTo(880);
  }

  @Test
  void eachPartitionIsReadOnlyAsFarBackAsItNeeds() {
    log.events(0, 1, 1, 5_000);
    log.events(1, 1, 1, 5_000);
    Map<TopicPartition, LogTail.Reach> reaches = new HashMap<>();
    reaches.put(log(0), known(1, 4_990));
    reaches.put(log(1), known(1, 3_000));
    reaches.put(log(2), NOTHING_KNOWN);
    List<Integer> partitionsRead = new ArrayList<>();
    Map<TopicPartition, LogTail> read =
        tails(CHUNK).read(reaches, (record, header) -> partitionsRead.add(record.partition()));
    assertThat(of(read, 0).seq()).isEqualTo(5_000);
    assertThat(of(read, 1).seq()).isEqualTo(5_000);
    assertThat(of(read, 2).seq()).isZero();
    assertThat(log.from(0)).isEqualTo(4_500);
    assertThat(log.from(1)).isZero();
    assertThat(partitionsRead).containsOnly(0, 1).hasSize(500 + 500 + 5_000);
  }

  @Test
  void aTailThatIsReadOnKnowsItsFences() {
    log.events(0, 1, 1, 10);
    log.control(0, 3, 10);
    LogTails tails = tails(CHUNK);
    Map<TopicPartition, LogTail> read =
        tails.read(Map.of(log(0), NOTHING_KNOWN), (record, header) -> {});
    assertThat(of(read, 0).endOffset()).isEqualTo(11);
    log.events(0, 1, 11, 20);
    log.control(0, 4, 10);
    List<Long> since = new ArrayList<>();
    tails.readOn(read, (record, header) -> since.add(record.offset()));
    assertThat(since).hasSize(11).startsWith(11L);
    assertThat(of(read, 0).seq()).isEqualTo(10);
    assertThat(of(read, 0).captureEpoch()).isEqualTo(4);
    assertThat(of(read, 0).endOffset()).isEqualTo(22);
  }
}
