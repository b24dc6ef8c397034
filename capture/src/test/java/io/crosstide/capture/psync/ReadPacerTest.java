package io.crosstide.capture.psync;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ReadPacerTest {
  private static final long GAP = ReadPacer.GAP_NANOS;

  private long now = 1_000_000_000_000L;
  private final ReadPacer pacer = new ReadPacer(() -> now, nanos -> now += nanos);

  /** How long the next read waits for its turn. */
  private long waited() {
    return waitedAfter(1_000);
  }

  private long waitedAfter(long bytes) {
    long before = now;
    pacer.awaitTurn(bytes);
    return now - before;
  }

  @Test
  void theFirstReadsAfterAPauseDoNotWait() {
    for (int i = 0; i < ReadPacer.TOKENS_MAX; i++) {
      assertThat(waited()).isZero();
    }
    assertThat(waited()).isEqualTo(GAP);
  }

  @Test
  void readsUnderLoadAreAGapApart() {
    for (int i = 0; i < 100; i++) {
      waited();
    }
    long begin = now;
    for (int i = 0; i < 1_000; i++) {
      // What was read takes a third of the gap to be interpreted.
      now += GAP / 3;
      waited();
    }
    assertThat(now - begin).isBetween(1_000 * GAP - GAP, 1_000 * GAP + GAP);
  }

  @Test
  void readsOfMuchAreTwoGapsApart() {
    for (int i = 0; i < 100; i++) {
      waited();
    }
    assertThat(waitedAfter(ReadPacer.MUCH_BYTES - 1)).isEqualTo(GAP);
    assertThat(waitedAfter(ReadPacer.MUCH_BYTES)).isEqualTo(2 * GAP);
    assertThat(waitedAfter(ReadPacer.BEHIND_BYTES - 1)).isEqualTo(2 * GAP);
    assertThat(waitedAfter(ReadPacer.BEHIND_BYTES)).isEqualTo(GAP);
  }

  @Test
  void aReadThatComesLateDoesNotWait() {
    for (int i = 0; i < 100; i++) {
      waited();
    }
    for (int i = 0; i < 100; i++) {
      now += GAP + 1;
      assertThat(waited()).isZero();
    }
  }

  @Test
  void aLongPauseSavesNoMoreThanAFewReads() {
    now += 1_000_000 * GAP;
    int free = 0;
    while (waited() == 0) {
      free++;
    }
    assertThat(free).isEqualTo(ReadPacer.TOKENS_MAX);
  }

  @Test
  void wakingLateIsMadeUpForButNoMore() {
    ReadPacer sluggish = new ReadPacer(() -> now, nanos -> now += nanos + GAP / 2);
    for (int i = 0; i < ReadPacer.TOKENS_MAX; i++) {
      sluggish.awaitTurn(1_000);
    }
    long begin = now;
    for (int i = 0; i < 1_000; i++) {
      sluggish.awaitTurn(1_000);
    }
    assertThat(now - begin).isBetween(1_000 * GAP, 1_001 * GAP);
  }
}
