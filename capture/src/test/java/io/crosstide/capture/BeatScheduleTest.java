package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BeatScheduleTest {
  private static final long MILLI = 1_000_000L;
  private final BeatSchedule schedule = new BeatSchedule(2, 0);

  private List<Integer> due(long millis) {
    List<Integer> beats = new ArrayList<>();
    schedule.look(
        millis * MILLI,
        partition -> {
          beats.add(partition);
          schedule.beatPublished(partition, millis * MILLI);
        });
    return beats;
  }

  @Test
  void anIdlePartitionBeatsEveryFiveSeconds() {
    assertThat(due(4_900)).isEmpty();
    assertThat(due(5_000)).containsExactly(0, 1);
    assertThat(due(9_900)).isEmpty();
    assertThat(due(10_000)).containsExactly(0, 1);
  }

  @Test
  void aMovedMarkerIsToldSoonAndOnce() {
    schedule.moved(1);
    assertThat(due(90)).isEmpty();
    assertThat(due(150)).containsExactly(1);
    assertThat(due(300)).isEmpty();
  }

  @Test
  void anEventAfterTheMarkerTellsEnough() {
    schedule.moved(1);
    schedule.eventPublished(1);
    assertThat(due(500)).isEmpty();
  }
}
