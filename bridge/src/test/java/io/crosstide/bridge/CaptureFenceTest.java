package io.crosstide.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.schemas.EventHeader;
import org.junit.jupiter.api.Test;

class CaptureFenceTest {
  private final CaptureFence fence = new CaptureFence();

  @Test
  void leavesOutWhatAReplacedCaptureStillAppends() {
    assertThat(fence.isStale(event(Origin.of(1), 1))).isFalse();
    assertThat(fence.isStale(event(Origin.of(1), 2))).isFalse();
    assertThat(fence.isStale(event(Origin.of(1), 1))).isTrue();
    assertThat(fence.isStale(event(Origin.of(1), 2))).isFalse();
  }

  @Test
  void originsDoNotFenceEachOther() {
    assertThat(fence.isStale(event(Origin.of(1), 5))).isFalse();
    assertThat(fence.isStale(event(Origin.of(2), 1))).isFalse();
    assertThat(fence.isStale(event(new Origin(1, 0, 1), 1))).isFalse();
  }

  private static EventHeader event(Origin origin, int captureEpoch) {
    return new EventHeader(1, origin.packed(), 1, 0, captureEpoch, HybridTimestamp.of(1, 0), 0);
  }
}
