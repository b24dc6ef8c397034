package io.crosstide.sandbox.wan;

import java.io.IOException;
import java.nio.channels.SocketChannel;

/**
 * One direction of one proxied connection: reads from a socket, holds the bytes for the lane's
 * delay, writes to the other. Confined to the loop's thread.
 */
final class Flow {
  /**
   * A chunk this close to its time leaves now: timers tick in milliseconds, and waking twice costs
   * more than it adds.
   */
  static final long SLACK_NANOS = 500_000;

  private static final long SHRINK_AFTER_NANOS = 5_000_000_000L;

  private final SocketChannel source;
  private final SocketChannel sink;
  private final Lane lane;
  private final DelayRing ring = new DelayRing();
  private long lastTransfer;
  private boolean ended;
  private boolean endPassedOn;
  private boolean sinkBlocked;
  private boolean lineFull;

  Flow(SocketChannel source, SocketChannel sink, Lane lane) {
    this.source = source;
    this.sink = sink;
    this.lane = lane;
  }

  /** Whether readiness of the source is of interest. */
  boolean wantsRead() {
    return !ended && !lineFull && !ring.isFull();
  }

  /** Whether readiness of the sink is of interest. */
  boolean wantsWrite() {
    return sinkBlocked;
  }

  /** Whether everything was passed on, the end included. */
  boolean isFinished() {
    return endPassedOn;
  }

  void readable(long now) throws IOException {
    int n = ring.readFrom(source, lane.chunkBytes());
    if (n < 0) {
      ended = true;
    } else if (n > 0) {
      ring.mark(lane.schedule(n, now));
      lastTransfer = now;
      lineFull = lane.queuedNanos(now) > Lane.QUEUE_NANOS;
    }
    advance(now);
  }

  void writable(long now) throws IOException {
    sinkBlocked = false;
    advance(now);
  }

  /** Passes on what is due, and takes up reading again when the line has room. */
  void advance(long now) throws IOException {
    if (!sinkBlocked && !ring.isEmpty()) {
      long horizon = now + SLACK_NANOS;
      int written = ring.writeDue(sink, horizon);
      if (written > 0) {
        lane.delivered(written);
        lastTransfer = now;
      }
      sinkBlocked = !ring.isEmpty() && ring.firstDue() - horizon <= 0;
    }
    if (lineFull && lane.queuedNanos(now) <= Lane.QUEUE_NANOS / 2) {
      lineFull = false;
    }
    if (ended && !endPassedOn && ring.isEmpty()) {
      endPassedOn = true;
      sink.shutdownOutput();
    }
    if (ring.isEmpty()
        && ring.capacity() > DelayRing.CAPACITY_START
        && now - lastTransfer > SHRINK_AFTER_NANOS) {
      ring.shrink();
    }
  }

  /**
   * When {@link #advance} has something to do next if no socket stirs, as nanoseconds from now;
   * MAX_VALUE if never.
   */
  long nanosToNext(long now) {
    long next = Long.MAX_VALUE;
    if (!sinkBlocked && !ring.isEmpty()) {
      next = Math.max(0, ring.firstDue() - now);
    }
    if (lineFull) {
      next = Math.min(next, Math.max(0, lane.queuedNanos(now) - Lane.QUEUE_NANOS / 2));
    }
    if (ring.isEmpty() && ring.capacity() > DelayRing.CAPACITY_START) {
      next = Math.min(next, Math.max(0, lastTransfer + SHRINK_AFTER_NANOS + SLACK_NANOS - now));
    }
    return next;
  }
}
