package io.crosstide.capture;

import io.crosstide.capture.command.EventSink;
import io.crosstide.capture.content.ContentReader;
import io.crosstide.capture.publish.AckWatermark;
import io.crosstide.capture.publish.EventPublisher;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what the interpreter derives to Kafka, and lets the shadow follow what Kafka has
 * acknowledged: the shadow on disk is never ahead of the log, so whatever a crash loses of it is
 * derived again (P15). Belongs to the reading thread.
 *
 * <pre>
 *   stream    ───────────────────────────────────────▶
 *   shadow on disk   ≤   acknowledged   ≤   derived
 *                 commit            Kafka
 * </pre>
 */
final class PublishingSink implements EventSink {
  private static final Logger log = LoggerFactory.getLogger(PublishingSink.class);

  /** How long acknowledged units may wait for others to be committed with them. */
  private static final long COMMIT_NANOS = 50_000_000L;

  /** How many units may wait: bounds the shadow's memory. */
  private static final long COMMIT_UNITS = 5_000;

  /**
   * How many rows of the shadow may wait in memory for Kafka. Commands without events, effects
   * above all, are not bounded by what is in flight.
   */
  private static final int WAITING_ROWS_MAX = 400_000;

  private final EventPublisher publisher;
  private final AckWatermark watermark;
  private final Shadow shadow;
  private final BeatSchedule beats;
  private final IntConsumer beat;
  private final CaptureCounters counters;
  private final ContentReader contents;
  private long committedUnit;
  private long committedNanos = System.nanoTime();

  /**
   * @param beat publishes a beat of a partition
   */
  PublishingSink(
      EventPublisher publisher,
      AckWatermark watermark,
      Shadow shadow,
      BeatSchedule beats,
      IntConsumer beat,
      CaptureCounters counters,
      ContentReader contents) {
    this.publisher = publisher;
    this.watermark = watermark;
    this.shadow = shadow;
    this.beats = beats;
    this.beat = beat;
    this.counters = counters;
    this.contents = contents;
  }

  @Override
  public void event(int partition, ChangeEvent event) {
    publisher.publish(partition, event);
    if (event.isControl()) {
      counters.controlEvents.increment();
    } else {
      counters.events.increment();
      beats.eventPublished(partition);
    }
  }

  @Override
  public void markerSeen(int partition, Fx fx, boolean heldProbe) {
    counters.markers.increment();
    if (heldProbe) {
      beat.accept(partition);
    } else {
      beats.moved(partition);
    }
  }

  @Override
  public void unitEnd(long unit, long endOffset) {
    publisher.endUnit(unit, endOffset);
    if (shadow.waitingRows() > WAITING_ROWS_MAX) {
      publisher.drain();
    }
    long durable = watermark.unit();
    if (durable > committedUnit
        && (durable - committedUnit >= COMMIT_UNITS
            || System.nanoTime() - committedNanos >= COMMIT_NANOS)) {
      commit(durable);
    }
  }

  @Override
  public void contentWanted(RedisKey key) {
    contents.want(key);
  }

  @Override
  public void contentsForgotten() {
    contents.forget();
  }

  @Override
  public void unsupported(String name, String consequence) {
    log.warn("{} is not replicated: {}", name, consequence);
  }

  /** Lets the shadow on disk catch up with what is acknowledged now. */
  void commitAcknowledged() {
    long durable = watermark.unit();
    if (durable > committedUnit) {
      commit(durable);
    }
  }

  private void commit(long unit) {
    shadow.commitThrough(unit);
    committedUnit = unit;
    committedNanos = System.nanoTime();
  }
}
