package io.crosstide.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PartitionProgressTest {
  @Test
  void positionMovesOnlyOverWhatIsAcknowledgedWithoutGaps() {
    PartitionProgress progress = new PartitionProgress(10, -1);
    long a = progress.sent(10);
    long b = progress.sent(11);
    long c = progress.sent(15);
    progress.acked(b, 101);
    assertThat(progress.position()).isEqualTo(10);
    progress.acked(a, 100);
    assertThat(progress.position()).isEqualTo(12);
    progress.acked(c, 102);
    assertThat(progress.position()).isEqualTo(16);
    assertThat(progress.targetOffset()).isEqualTo(102);
  }

  @Test
  void skippedRecordsWaitForThoseBeforeThem() {
    PartitionProgress progress = new PartitionProgress(0, -1);
    long a = progress.sent(0);
    progress.skipped(1);
    assertThat(progress.position()).isZero();
    progress.acked(a, 0);
    assertThat(progress.position()).isEqualTo(2);
  }

  @Test
  void growsWithWhatIsUnderWay() {
    PartitionProgress progress = new PartitionProgress(0, -1);
    List<Long> tickets = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      tickets.add(progress.sent(i));
      if (i % 3 == 0 && i < 900) {
        progress.acked(tickets.get(i / 3), i);
      }
    }
    for (int i = tickets.size() - 1; i >= 300; i--) {
      progress.acked(tickets.get(i), i);
    }
    assertThat(progress.position()).isEqualTo(10_000);
  }
}
