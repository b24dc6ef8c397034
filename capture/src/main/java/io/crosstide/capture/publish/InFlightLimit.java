package io.crosstide.capture.publish;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what is sent and not yet acknowledged, in bytes and records: the back-pressure from Kafka
 * to the reading of the replication stream, and thereby the bound on capture's memory. One thread
 * acquires; any thread releases.
 *
 * <p>A waiting acquirer goes on at three quarters of the limit, not at every release: a wake-up
 * costs more than a record. One record larger than the whole limit passes alone.
 */
final class InFlightLimit {
  private final long bytesMax;
  private final int recordsMax;
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicInteger records = new AtomicInteger();
  private volatile @Nullable Thread waiting;
  private volatile boolean aborted;

  InFlightLimit(long bytesMax, int recordsMax) {
    this.bytesMax = bytesMax;
    this.recordsMax = recordsMax;
  }

  long bytes() {
    return bytes.get();
  }

  int records() {
    return records.get();
  }

  /**
   * @throws InterruptedException if the thread is interrupted; nothing is acquired then
   */
  void acquire(int size) throws InterruptedException {
    if (!fits(size, bytesMax, recordsMax)) {
      waiting = Thread.currentThread();
      try {
        while (!fits(size, bytesMax / 4 * 3, recordsMax / 4 * 3) && !aborted) {
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
          LockSupport.park(this);
        }
      } finally {
        waiting = null;
      }
    }
    bytes.addAndGet(size);
    records.incrementAndGet();
  }

  void release(int size) {
    bytes.addAndGet(-size);
    records.decrementAndGet();
    Thread acquirer = waiting;
    if (acquirer != null && fits(0, bytesMax / 4 * 3, recordsMax / 4 * 3)) {
      LockSupport.unpark(acquirer);
    }
  }

  /** Lets a waiting acquirer go on to find out why there is nothing to wait for any more. */
  void abort() {
    aborted = true;
    Thread acquirer = waiting;
    if (acquirer != null) {
      LockSupport.unpark(acquirer);
    }
  }

  private boolean fits(int size, long bytesLimit, int recordsLimit) {
    int count = records.get();
    return count == 0 || (count < recordsLimit && bytes.get() + size <= bytesLimit);
  }
}
