package io.crosstide.bridge;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What was sent and is not acknowledged, bounded in bytes: the back-pressure from the target to the
 * reading of the source. Thread-safe.
 */
final class InFlight {
  /** One record under way. */
  static final class Sent {
    private final long bytes;
    private final long stampMillis;
    private final long sentNanos;
    private boolean released;

    /**
     * @param bytes its size, uncompressed
     * @param stampMillis when it happened, ms since 1970
     * @param sentNanos when it was handed to the producer, System.nanoTime
     */
    Sent(long bytes, long stampMillis, long sentNanos) {
      this.bytes = bytes;
      this.stampMillis = stampMillis;
      this.sentNanos = sentNanos;
    }

    long bytes() {
      return bytes;
    }

    long stampMillis() {
      return stampMillis;
    }

    long sentNanos() {
      return sentNanos;
    }
  }

  private final long bytesMax;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition less = lock.newCondition();
  // In the order sent: the oldest tells the lag. Partitions are acknowledged independently, so
  // what is released early stays until it reaches the head.
  private final ArrayDeque<Sent> order = new ArrayDeque<>();
  private long bytes;
  private long count;
  private @Nullable Exception failure;

  InFlight(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Waits for room and takes it.
   *
   * @return false when there was none for {@code waitNanos}, or a send failed meanwhile
   */
  boolean acquire(Sent sent, long waitNanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = waitNanos;
      // A record larger than the bound passes when it is alone.
      while (failure == null && count > 0 && bytes + sent.bytes() > bytesMax) {
        if (left <= 0) {
          return false;
        }
        left = less.awaitNanos(left);
      }
      if (failure != null) {
        return false;
      }
      bytes += sent.bytes();
      count++;
      order.addLast(sent);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives room back, with the reason when the record was not taken by the target. */
  void release(Sent sent, @Nullable Exception error) {
    lock.lock();
    try {
      bytes -= sent.bytes();
      count--;
      sent.released = true;
      for (Sent head = order.peekFirst(); head != null && head.released; head = order.peekFirst()) {
        order.removeFirst();
      }
      if (error != null && failure == null) {
        failure = error;
      }
      less.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until nothing is under way; false after {@code timeoutNanos} or when a send failed. */
  boolean awaitNone(long timeoutNanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = timeoutNanos;
      while (count > 0 && failure == null) {
        if (left <= 0) {
          return false;
        }
        left = less.awaitNanos(left);
      }
      return failure == null;
    } finally {
      lock.unlock();
    }
  }

  /** Why a send failed for good; null while none has. */
  @Nullable Exception failure() {
    lock.lock();
    try {
      return failure;
    } finally {
      lock.unlock();
    }
  }

  long count() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** When the oldest record under way was sent, System.nanoTime; 0 when none is. */
  long oldestSentNanos() {
    lock.lock();
    try {
      Sent oldest = order.peekFirst();
      return oldest == null ? 0 : oldest.sentNanos();
    } finally {
      lock.unlock();
    }
  }

  /** Stamp of the oldest record under way, ms since 1970; 0 when none is. */
  long oldestStampMillis() {
    lock.lock();
    try {
      Sent oldest = order.peekFirst();
      return oldest == null ? 0 : oldest.stampMillis();
    } finally {
      lock.unlock();
    }
  }
}
