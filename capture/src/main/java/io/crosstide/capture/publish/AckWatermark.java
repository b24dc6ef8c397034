package io.crosstide.capture.publish;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How far the replication stream is durable: the last unit (command or transaction) such that every
 * event of it and of all before it, in whatever partitions, is acknowledged.
 *
 * <pre>
 *   units    1      2      3      4      5
 *   events  ack    ack   ack,-   ack    (none)
 *                    ^ durable: 2, although 4 and 5 wait for nothing themselves
 * </pre>
 *
 * One thread adds events and ends units, in stream order; acknowledgements may come from any thread
 * in any order. Memory is one small object per unit in flight that has events.
 */
public final class AckWatermark {

  /** The events of one unit that are in flight. */
  static final class Unit {
    /** Unacknowledged events, and one more while the unit is open. */
    private final AtomicInteger outstanding = new AtomicInteger(1);

    private long number;
    private long endOffset;
  }

  private final Runnable onAdvance;
  private final ArrayDeque<Unit> inFlight = new ArrayDeque<>();
  private Unit open = new Unit();
  private boolean openHasEvents;
  private volatile long unit;
  private volatile long offset;

  /**
   * @param onAdvance called after every advance, by whichever thread caused it
   */
  public AckWatermark(Runnable onAdvance) {
    this.onAdvance = onAdvance;
  }

  /** replOffset up to which everything is durable. */
  public long offset() {
    return offset;
  }

  /** Number of the last durable unit. */
  public long unit() {
    return unit;
  }

  /** Whether nothing that was added waits for an acknowledgement. */
  public boolean isDrained() {
    synchronized (inFlight) {
      return inFlight.isEmpty();
    }
  }

  /** Everything up to here is durable by other means; nothing may be in flight. */
  public void startAt(long unitNumber, long replOffset) {
    synchronized (inFlight) {
      if (!inFlight.isEmpty()) {
        throw new IllegalStateException(inFlight.size() + " units are still in flight");
      }
      unit = unitNumber;
      offset = replOffset;
    }
  }

  /** An event of the unit that {@link #end} will end is about to be sent. */
  Unit add() {
    if (!openHasEvents) {
      openHasEvents = true;
      synchronized (inFlight) {
        inFlight.add(open);
      }
    }
    open.outstanding.incrementAndGet();
    return open;
  }

  /** Ends the unit to which all events since the last end belong; there may be none. */
  public void end(long unitNumber, long endOffset) {
    if (openHasEvents) {
      Unit ended = open;
      ended.number = unitNumber;
      ended.endOffset = endOffset;
      open = new Unit();
      openHasEvents = false;
      acknowledged(ended);
      return;
    }
    synchronized (inFlight) {
      Unit last = inFlight.peekLast();
      if (last != null) {
        // Nothing of its own to wait for: it is durable as soon as the unit before it is.
        last.number = unitNumber;
        last.endOffset = endOffset;
        return;
      }
      unit = unitNumber;
      offset = endOffset;
    }
    onAdvance.run();
  }

  /** One event of {@code of} is acknowledged. */
  void acknowledged(Unit of) {
    if (of.outstanding.decrementAndGet() != 0) {
      return;
    }
    boolean advanced = false;
    synchronized (inFlight) {
      for (Unit head = inFlight.peek();
          head != null && head.outstanding.get() == 0;
          head = inFlight.peek()) {
        inFlight.remove();
        unit = head.number;
        offset = head.endOffset;
        advanced = true;
      }
    }
    if (advanced) {
      onAdvance.run();
    }
  }
}
