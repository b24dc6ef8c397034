package io.crosstide.streams.thread;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Wakes one stream thread wherever it waits: in its consumer's poll, or for room in {@link #await}.
 * {@link #wakeUp} may be called from any thread; all else is for the stream thread itself.
 */
public final class ThreadWaker {
  /** Timers of a task fire once in a millisecond at most; work found before then waits for that. */
  private static final Duration WORK_LEFT_POLL = Duration.ofMillis(1);

  private final List<BooleanSupplier> work = new CopyOnWriteArrayList<>();
  private boolean pending;
  private @Nullable Consumer<?, ?> polling;

  /** There is something to do: ends the present wait, or else the next one. */
  public void wakeUp() {
    synchronized (this) {
      pending = true;
      notifyAll();
      if (polling != null) {
        // Under the lock, so that it never hits a call after poll.
        polling.wakeup();
      }
    }
  }

  /** Asked before each poll: while {@code source} says yes, the thread does not sleep for long. */
  public void addWork(BooleanSupplier source) {
    work.add(source);
  }

  public void removeWork(BooleanSupplier source) {
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
    boolean workLeft = false;
    for (BooleanSupplier source : work) {
      workLeft |= source.getAsBoolean();
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

  void leavePoll() {
    synchronized (this) {
      polling = null;
      pending = false;
    }
  }
}
