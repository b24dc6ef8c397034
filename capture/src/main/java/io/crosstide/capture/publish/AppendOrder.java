package io.crosstide.capture.publish;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that somebody else appends to the partitions this capture writes to: the offsets of its
 * own records then leave a gap. What fills the gap is looked at before any record behind it counts
 * as published. If a newer capture's fence is there, nobody reads this capture's records any more
 * (P16), and none of them may be confirmed to a client's {@code WAIT}. Late records of an older
 * capture do no harm.
 *
 * <p>Costs a comparison per record. Acknowledgements held back stay in flight for the publisher's
 * bounds. A region's log is written without transactions, so that nothing but records takes
 * offsets.
 */
final class AppendOrder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AppendOrder.class);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final long UNKNOWN = -1;

  private record Gap(int partition, long from, long to) {}

  private final ForeignRecords foreign;
  private final int captureEpoch;
  private final IntConsumer onTakenOver;
  private final CountDownLatch closed = new CountDownLatch(1);

  /** By partition, the offset behind the last record known. */
  private final long[] next;

  private final Deque<Gap> gaps = new ArrayDeque<>();
  private final Deque<Runnable> held = new ArrayDeque<>();
  private boolean looking;
  private boolean takenOver;

  /**
   * @param captureEpoch of this capture
   * @param onTakenOver told of a higher epoch, once; nothing is acknowledged afterwards
   */
  AppendOrder(int partitions, int captureEpoch, ForeignRecords foreign, IntConsumer onTakenOver) {
    this.next = new long[partitions];
    Arrays.fill(next, UNKNOWN);
    this.captureEpoch = captureEpoch;
    this.foreign = foreign;
    this.onTakenOver = onTakenOver;
  }

  /** This capture's own record before the first that is published stands at {@code offset}. */
  synchronized void startsBehind(int partition, long offset) {
    next[partition] = offset + 1;
  }

  /**
   * A record has been appended; partition by partition in order.
   *
   * @param offset negative if Kafka did not say, as of a record that it had already
   * @param acknowledge runs at once, or when it is known that the record counts
   */
  synchronized void appended(int partition, long offset, Runnable acknowledge) {
    long expected = next[partition];
    if (offset >= 0) {
      next[partition] = offset + 1;
      if (expected != UNKNOWN && offset > expected) {
        gaps.add(new Gap(partition, expected, offset));
      }
    } else if (expected != UNKNOWN) {
      next[partition] = expected + 1;
    }
    if (gaps.isEmpty() && !takenOver) {
      acknowledge.run();
      return;
    }
    held.add(acknowledge);
    if (!looking && !takenOver) {
      looking = true;
      Thread look = new Thread(this::look, "capture-gap");
      look.setDaemon(true);
      look.start();
    }
  }

  /** Waits until every record appended so far is known to count, or none will be. */
  synchronized void settle() throws InterruptedException {
    while (!gaps.isEmpty() && !takenOver && closed.getCount() > 0) {
      wait();
    }
  }

  private void look() {
    try {
      for (Gap gap = firstGap(); gap != null; gap = firstGap()) {
        int epoch;
        try {
          epoch = foreign.captureEpochMax(gap.partition(), gap.from(), gap.to());
        } catch (InterruptException e) {
          throw e;
        } catch (KafkaException e) {
          log.warn("what others have appended cannot be read yet: {}", e.getMessage());
          if (closed.await(RETRY.toMillis(), TimeUnit.MILLISECONDS)) {
            return;
          }
          continue;
        }
        if (epoch > captureEpoch) {
          // First: who waits in settle() then asks whether all is well.
          onTakenOver.accept(epoch);
          endTakenOver();
          return;
        }
        log.warn(
            "partition {}: {} records of an older capture stand among this one's; no reader counts"
                + " them",
            gap.partition(),
            gap.to() - gap.from());
        forget(gap);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void endTakenOver() {
    takenOver = true;
    notifyAll();
  }

  private synchronized void forget(Gap gap) {
    gaps.remove(gap);
  }

  private synchronized @Nullable Gap firstGap() {
    if (closed.getCount() == 0) {
      return null;
    }
    Gap gap = gaps.peekFirst();
    if (gap == null) {
      looking = false;
      for (Runnable acknowledge = held.pollFirst();
          acknowledge != null;
          acknowledge = held.pollFirst()) {
        acknowledge.run();
      }
      notifyAll();
    }
    return gap;
  }

  /** What is held back stays so. */
  @Override
  public synchronized void close() {
    closed.countDown();
    notifyAll();
  }
}
