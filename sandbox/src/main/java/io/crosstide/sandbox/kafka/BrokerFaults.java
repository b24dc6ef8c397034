package io.crosstide.sandbox.kafka;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.kafka.common.utils.Exit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when an embedded broker meets a fault it cannot survive (a full disk, a damaged
 * log).
 *
 * <p>Kafka then ends the whole JVM with {@code Runtime.halt}, without a word and without stopping
 * the Redis processes. Here the fault is logged and handed to a handler instead. The default
 * handler prints one sentence on stderr and halts with exit code 1; a command that wants to end in
 * its own way sets another. The procedures are static in Kafka and so they are here: one handler
 * for all brokers of a JVM.
 */
public final class BrokerFaults {
  private static final Logger log = LoggerFactory.getLogger(BrokerFaults.class);
  private static volatile Consumer<String> handler = BrokerFaults::printAndHalt;
  private static final AtomicBoolean installed = new AtomicBoolean();

  private BrokerFaults() {}

  /**
   * Receives one sentence per fatal fault, on the broker thread that met it; must not block on that
   * broker.
   */
  public static void onFatalFault(Consumer<String> newHandler) {
    install();
    handler = newHandler;
  }

  /**
   * As {@link #onFatalFault(Consumer)}, for a handler that makes the process end in order: if it
   * has not ended {@code patience} after the fault, it is halted with exit code 1. A broker in this
   * state may never finish closing.
   */
  public static void onFatalFault(Consumer<String> newHandler, Duration patience) {
    onFatalFault(
        sentence -> {
          newHandler.accept(sentence);
          Thread last = new Thread(() -> haltAfter(patience), "broker-fault");
          last.setDaemon(true);
          last.start();
        });
  }

  private static void haltAfter(Duration patience) {
    try {
      TimeUnit.NANOSECONDS.sleep(patience.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    System.err.println(
        "crosstide: not everything had closed within "
            + patience.toSeconds()
            + " s of a broker's fault; ending all the same");
    System.err.flush();
    Runtime.getRuntime().halt(1);
  }

  static void install() {
    if (installed.compareAndSet(false, true)) {
      Exit.setExitProcedure((status, message) -> fault(status, message));
      Exit.setHaltProcedure((status, message) -> fault(status, message));
    }
  }

  private static void fault(int status, @Nullable String message) {
    String sentence =
        "An embedded Kafka broker gave up (status "
            + status
            + (message == null || message.isBlank() ? "" : ": " + message)
            + "): see the log for its last error, check free disk space, then start the sandbox again.";
    log.error(sentence);
    handler.accept(sentence);
    // Kafka's code does not expect these procedures to return: end this thread at least.
    throw new BrokerFaultError(sentence);
  }

  private static void printAndHalt(String sentence) {
    System.err.println("crosstide: " + sentence);
    System.err.flush();
    Runtime.getRuntime().halt(1);
  }

  /** Ends the broker thread that met the fault when the handler decided to keep the JVM. */
  static final class BrokerFaultError extends Error {
    private static final long serialVersionUID = 1L;

    BrokerFaultError(String sentence) {
      super(sentence);
    }
  }
}
