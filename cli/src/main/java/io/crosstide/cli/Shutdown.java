package io.crosstide.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a long-running command end in order on Ctrl-C and SIGTERM: the JVM's shutdown waits, for a
 * bounded time, until the command has closed everything and then this.
 */
public final class Shutdown implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

  /** Longer than any clean close takes; after that the process ends anyway. */
  private static final long CLOSE_SECONDS_MAX = 40;

  private final CountDownLatch requested = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::onShutdown, "shutdown");

  private Shutdown() {}

  /**
   * Begins to listen. Must be closed last, after everything that must end in order: in a
   * try-with-resources statement it stands first.
   */
  public static Shutdown onSignal() {
    Shutdown shutdown = new Shutdown();
    Runtime.getRuntime().addShutdownHook(shutdown.hook);
    return shutdown;
  }

  /**
   * Waits at most so long.
   *
   * @return whether the command is to end
   */
  public boolean await(long timeout, TimeUnit unit) throws InterruptedException {
    return requested.await(timeout, unit);
  }

  /** Whether the command is to end. */
  public boolean isRequested() {
    return requested.getCount() == 0;
  }

  /** Asks the command to end, as a signal does. Any thread. */
  public void request() {
    requested.countDown();
  }

  private void onShutdown() {
    requested.countDown();
    try {
      if (!closed.await(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
        log.warn("not everything had closed after {} s", CLOSE_SECONDS_MAX);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      log.debug("the JVM is ending", e);
    }
  }
}
