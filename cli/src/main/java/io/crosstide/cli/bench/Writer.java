package io.crosstide.cli.bench;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Writes to one Redis over one pipelined connection. With a rate, writes are due by the clock,
 * however long earlier ones take (an open loop); a bound on unanswered writes keeps memory small
 * when Redis cannot keep up, which then shows as a lower rate achieved.
 */
final class Writer implements Runnable, AutoCloseable {
  /** Writes sent and not answered. */
  private static final int OUTSTANDING_MAX = 2_048;

  /**
   * Between looks at the clock. What has become due is sent together: a wake-up per write would
   * take as much of the machine as all that is measured.
   */
  private static final long PAUSE_NANOS = 1_000_000;

  /** Writes sent to the socket together. */
  private static final int BATCH_MAX = 128;

  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final CommandSource source;
  private final double perNano;
  private final Semaphore outstanding = new Semaphore(OUTSTANDING_MAX);
  private final LongAdder answered = new LongAdder();
  private final LongAdder errors = new LongAdder();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile @Nullable Throwable lastError;

  /**
   * @param connection closed together with this
   * @param ratePerSecond {@link Load#MAX} for as fast as it goes
   */
  Writer(
      String name,
      StatefulRedisConnection<byte[], byte[]> connection,
      CommandSource source,
      double ratePerSecond) {
    this.connection = connection;
    this.source = source;
    this.perNano = ratePerSecond / 1e9;
    this.thread = new Thread(this, "bench-writer-" + name);
    connection.setAutoFlushCommands(false);
  }

  void start() {
    thread.start();
  }

  /** Writes that Redis has confirmed. */
  long answered() {
    return answered.sum();
  }

  /** Writes that Redis has refused, or never answered. */
  long errors() {
    return errors.sum();
  }

  @Nullable Throwable lastError() {
    return lastError;
  }

  @Override
  public void run() {
    try {
      if (perNano > 0) {
        byTheClock();
      } else {
        asFastAsItGoes();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void byTheClock() throws InterruptedException {
    long begin = System.nanoTime();
    long sent = 0;
    while (!stopped) {
      long due = (long) ((System.nanoTime() - begin) * perNano);
      if (due <= sent) {
        LockSupport.parkNanos(PAUSE_NANOS);
        continue;
      }
      int batch = (int) Math.min(BATCH_MAX, due - sent);
      send(batch);
      sent += batch;
    }
  }

  private void asFastAsItGoes() throws InterruptedException {
    while (!stopped) {
      send(BATCH_MAX);
    }
  }

  private void send(int batch) throws InterruptedException {
    for (int i = 0; i < batch; i++) {
      if (!outstanding.tryAcquire()) {
        connection.flushCommands();
        outstanding.acquire();
      }
      RedisFuture<?> future = source.next(connection.async());
      var unused = future.whenComplete((answer, error) -> completed(error));
    }
    connection.flushCommands();
  }

  private void completed(@Nullable Throwable error) {
    outstanding.release();
    if (error == null) {
      answered.increment();
    } else {
      errors.increment();
      lastError = error;
    }
  }

  /** Stops sending and waits for what is unanswered; harmless the second time. */
  @Override
  public void close() {
    if (stopped) {
      return;
    }
    stopped = true;
    // It may be waiting for a Redis that does not answer.
    thread.interrupt();
    try {
      thread.join();
      connection.flushCommands();
      if (!outstanding.tryAcquire(OUTSTANDING_MAX, 10, TimeUnit.SECONDS)) {
        errors.add(OUTSTANDING_MAX - outstanding.availablePermits());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    connection.close();
  }
}
