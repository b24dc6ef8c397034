package io.crosstide.streams.thread;

import io.crosstide.schemas.Limits;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Wakes one stream thread wherever it waits: in its consumer's poll, or for room in {@link #await}.
 * {@link #wakeUp} may be called from any thread; all else is for the stream thread itself.
 */
public final class ThreadWaker {
  /** Timers of a task fire once in a millisecond at most; work found before then waits for that. */
  private static final Duration WORK_LEFT_POLL = Duration.ofMillis(1);

  /**
   * A poll that brings a few records costs more than the records: after one that did, the thread
   * rests so many times as long as they took, up to a limit. So it waits little while it has time,
   * and reads more at a time when it has not.
   */
  private static final int REST_FACTOR = 4;

  private static final long REST_NANOS_MAX = 8_000_000;
  private static final long REST_NANOS_MIN = 300_000;

  /**
   * Nobody waits for the merge of the own region's changes, and each turn costs the broker two
   * requests: after a poll that brought only those, the thread rests so long. Not while other
   * regions write: their changes would be kept waiting.
   */
  private static final long OWN_REST_NANOS = 20_000_000;

  /** Other regions have not written for so long: the next of their changes may wait for a rest. */
  private static final long OTHERS_SILENT_NANOS = 2_000_000_000;

  /** With so many records at a time there is nothing to gain by waiting for more. */
  private static final int MANY_RECORDS = 200;

  /** A thread that has read records so lately will soon read more. */
  private static final long BUSY_NANOS = 10_000_000;

  /** As much as one event may have; one poll more comes on top. */
  private static final long HANDED_OVER_BYTES_MAX = Limits.EVENT_BYTES_MAX;

  private final HandedOver handedOver;
  private final List<Work> work = new CopyOnWriteArrayList<>();
  private volatile long lastRecordsNanos = System.nanoTime() - BUSY_NANOS;
  private long lastOfOthersNanos = System.nanoTime();
  private boolean mayRest;
  private boolean rested;
  private boolean pending;
  private @Nullable Consumer<?, ?> polling;

  public ThreadWaker() {
    this(HANDED_OVER_BYTES_MAX);
  }

  /**
   * @param handedOverBytesMax as of {@link HandedOver}
   */
  ThreadWaker(long handedOverBytesMax) {
    handedOver = new HandedOver(handedOverBytesMax);
  }

  /** What a thread looks at before it sleeps. */
  public interface Work {
    /** All records at hand have been processed. */
    void beforePoll();

    /** While this is so, the thread does not sleep for long. */
    boolean isWaiting();
  }

  /** There is something to do: ends the present wait, or else the next one. */
  public void wakeUp() {
    synchronized (this) {
      if (pending) {
        return;
      }
      pending = true;
      notifyAll();
      if (polling != null) {
        // Under the lock, so that it never hits a call after poll.
        polling.wakeup();
      }
    }
  }

  /** As {@link #wakeUp}, unless the thread reads records all the time and so wakes anyway. */
  public void wakeUpIfIdle() {
    if (System.nanoTime() - lastRecordsNanos >= BUSY_NANOS) {
      wakeUp();
    }
  }

  /** The calling thread has begun to process a record, which it need not hold much longer. */
  public void processing(byte @Nullable [] key, byte @Nullable [] value) {
    handedOver.processed(HandedOver.length(key) + HandedOver.length(value));
  }

  HandedOver handedOver() {
    return handedOver;
  }

  /** Looked at before each poll. */
  public void addWork(Work source) {
    work.add(source);
  }

  public void removeWork(Work source) {
    work.remove(source);
  }

  /** Waits for {@link #wakeUp}, at most {@code millis}. */
  public void await(long millis) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    synchronized (this) {
      while (!pending) {
        long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (leftMillis <= 0) {
          break;
        }
        wait(leftMillis);
      }
      pending = false;
    }
  }

  /** The thread is about to poll; returns for how long it may. */
  Duration enterPoll(Consumer<?, ?> consumer, Duration timeout) {
    for (Work source : work) {
      source.beforePoll();
    }
    rested = mayRest && !timeout.isZero();
    if (rested) {
      rest();
    }
    boolean workLeft = false;
    for (Work source : work) {
      workLeft |= source.isWaiting();
    }
    synchronized (this) {
      polling = consumer;
      if (pending) {
        pending = false;
        return Duration.ZERO;
      }
      return workLeft && timeout.compareTo(WORK_LEFT_POLL) > 0 ? WORK_LEFT_POLL : timeout;
    }
  }

  /** Whether the thread has rested before the present poll. */
  boolean hasRested() {
    return rested;
  }

  private void rest() {
    long now = System.nanoTime();
    long due =
        now - lastOfOthersNanos > OTHERS_SILENT_NANOS
            ? now + OWN_REST_NANOS
            : now + Math.min(REST_NANOS_MAX, (now - lastRecordsNanos) * REST_FACTOR);
    try {
      synchronized (this) {
        while (!pending) {
          long left = due - System.nanoTime();
          if (left < REST_NANOS_MIN) {
            return;
          }
          wait(left / 1_000_000, (int) (left % 1_000_000)); // rounded up to a millisecond
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // poll notices
    }
  }

  /**
   * @param records how many the poll has brought
   * @param ofOthers whether other regions' changes were among them
   */
  void leavePoll(int records, boolean ofOthers) {
    if (records > 0) {
      lastRecordsNanos = System.nanoTime();
      if (ofOthers) {
        lastOfOthersNanos = lastRecordsNanos;
      }
    }
    mayRest = records > 0 && records < MANY_RECORDS;
    synchronized (this) {
      polling = null;
      pending = false;
    }
  }
}
