package io.crosstide.capture;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * When each partition's log is told how far the stream is (P4, P13): at once after a probe, soon
 * after the marker has moved and no event has said so, and from time to time anyway, for the floor
 * that stability is learnt from.
 *
 * <p>Driven by the stream itself: the beacon passes every 100 ms, so no timer is needed, and an
 * idle region publishes one small record per partition every {@link #IDLE_NANOS}.
 */
final class BeatSchedule {
  static final long MOVED_NANOS = 100_000_000L;
  static final long IDLE_NANOS = 5_000_000_000L;

  private final boolean[] moved;
  private final long[] lastNanos;
  private long lastLookNanos;

  BeatSchedule(int partitions, long nowNanos) {
    moved = new boolean[partitions];
    lastNanos = new long[partitions];
    lastLookNanos = nowNanos;
    Arrays.fill(lastNanos, nowNanos);
  }

  /** The marker has moved. */
  void moved(int partition) {
    moved[partition] = true;
  }

  /** An event of the partition has said how far the marker is. */
  void eventPublished(int partition) {
    moved[partition] = false;
  }

  /** A beat of the partition was published. */
  void beatPublished(int partition, long nowNanos) {
    moved[partition] = false;
    lastNanos[partition] = nowNanos;
  }

  /**
   * Calls {@code beat} for every partition whose turn it is. Cheap when called for every command.
   */
  void look(long nowNanos, IntConsumer beat) {
    if (nowNanos - lastLookNanos < MOVED_NANOS / 2) {
      return;
    }
    lastLookNanos = nowNanos;
    for (int partition = 0; partition < moved.length; partition++) {
      long since = nowNanos - lastNanos[partition];
      if (since >= IDLE_NANOS || (moved[partition] && since >= MOVED_NANOS)) {
        beat.accept(partition);
      }
    }
  }
}
