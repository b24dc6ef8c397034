package io.crosstide.capture.psync;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Tells Redis how far capture is durable: what makes a client's {@code WAIT 1 <ms>} mean "in
 * Kafka". One thread of its own per connection, so that neither a slow Redis socket holds up
 * Kafka's sender nor a slow Kafka the keep-alive.
 *
 * <p>Rules, each found by trying: (1) one ACK as soon as the snapshot is read, or Redis withholds
 * the command stream; (2) one ACK a second with whatever is durable: Redis looks at its time, not
 * its value, to tell a dead replica; while a snapshot is being read a newline does the same; (3)
 * Redis sends {@code REPLCONF GETACK} once per WAIT, so it is remembered and answered on every
 * advance until what stood before it is durable.
 */
final class AckSender implements AutoCloseable {
  private static final long TICK_NANOS = 1_000_000_000L;
  private static final long NOBODY = -1;

  /** Writes to the connection; failures surface on the reading side. */
  interface Wire {
    void ack(long replOffset);

    void keepAlive();
  }

  private enum Phase {
    HANDSHAKE,
    SNAPSHOT,
    STREAM,
    CLOSED
  }

  private final Wire wire;
  private final LongSupplier durable;
  private final Thread thread;
  private final AtomicLong wanted = new AtomicLong(NOBODY);
  private volatile Phase phase = Phase.HANDSHAKE;

  /**
   * @param durable replOffset up to which everything is durable, in the history being read
   */
  AckSender(Wire wire, LongSupplier durable, String threadName) {
    this.wire = wire;
    this.durable = durable;
    this.thread = new Thread(this::run, threadName);
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** A snapshot follows: only keep-alives until {@link #streaming}. */
  void snapshot() {
    phase = Phase.SNAPSHOT;
  }

  /** The command stream follows: sends the first ACK at once (rule 1). */
  void streaming() {
    wanted.set(0);
    phase = Phase.STREAM;
    LockSupport.unpark(thread);
  }

  /** A GETACK that began at {@code startOffset} was read (rule 3). */
  void asked(long startOffset) {
    wanted.set(startOffset);
    LockSupport.unpark(thread);
  }

  /** What is durable has advanced; cheap unless someone waits. Any thread. */
  void advanced() {
    if (wanted.get() != NOBODY) {
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    long sent = -1;
    long sentNanos = System.nanoTime();
    while (phase != Phase.CLOSED) {
      long now = System.nanoTime();
      boolean tick = now - sentNanos >= TICK_NANOS;
      if (phase == Phase.STREAM) {
        long asked = wanted.get();
        long value = Math.max(0, durable.getAsLong());
        boolean covered = asked != NOBODY && value >= asked;
        if (tick || covered || (asked != NOBODY && value > sent)) {
          wire.ack(value);
          sent = value;
          sentNanos = now;
          if (covered) {
            wanted.compareAndSet(asked, NOBODY);
          }
          continue;
        }
      } else if (phase == Phase.SNAPSHOT && tick) {
        wire.keepAlive();
        sentNanos = now;
      }
      LockSupport.parkNanos(this, Math.max(1, sentNanos + TICK_NANOS - System.nanoTime()));
    }
  }

  @Override
  public void close() {
    phase = Phase.CLOSED;
    LockSupport.unpark(thread);
  }
}
