package io.crosstide.bridge;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a cut line from a target whose brokers moved to other addresses while it was cut.
 *
 * <p>On a cut line the producer waits and goes on by itself, doubling nothing. Moved brokers it
 * would look for at their old addresses for ever. So when nothing was acknowledged for a minute,
 * the bootstrap address is tried now and then: if it answers and still nothing is acknowledged, the
 * producer must be made anew. Confined to the bridge's thread.
 */
final class StallDetector {
  private static final Logger log = LoggerFactory.getLogger(StallDetector.class);
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long TRY_EVERY_NANOS = TimeUnit.SECONDS.toNanos(15);
  private static final int ANSWERS_NEEDED = 2;

  /** Whether the target answers at its bootstrap address. */
  interface Reachability {
    boolean answers() throws InterruptedException;
  }

  private final LongSupplier nanoTime;
  private final Reachability target;
  private long triedAt;
  private int answers;

  StallDetector(LongSupplier nanoTime, Reachability target) {
    this.nanoTime = nanoTime;
    this.target = target;
    this.triedAt = nanoTime.getAsLong();
  }

  /** A detector that asks the target's Kafka for its cluster id. */
  static StallDetector of(BridgeConfig config) {
    return new StallDetector(System::nanoTime, () -> answers(config));
  }

  /**
   * Whether the target can be reached but acknowledges nothing.
   *
   * @param oldestNanos when the oldest unacknowledged record was sent; 0 when there is none
   */
  boolean isStalled(long oldestNanos) throws InterruptedException {
    long now = nanoTime.getAsLong();
    if (oldestNanos == 0 || now - oldestNanos < STALL_NANOS) {
      answers = 0;
      return false;
    }
    if (now - triedAt < TRY_EVERY_NANOS) {
      return false;
    }
    triedAt = now;
    answers = target.answers() ? answers + 1 : 0;
    return answers >= ANSWERS_NEEDED;
  }

  private static boolean answers(BridgeConfig config) throws InterruptedException {
    try (Admin admin = Clients.targetAdmin(config)) {
      admin.describeCluster().clusterId().get(5, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      log.debug("Bridge {}: the target does not answer", config.link(), e);
      return false;
    }
  }
}
