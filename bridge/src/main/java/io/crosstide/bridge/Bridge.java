package io.crosstide.bridge;

import io.crosstide.schemas.KafkaRights;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies logs from one region's Kafka to another's: it runs at the source and pushes.
 *
 * <p>It assumes that the logs exist on both sides with the same number of partitions, and waits
 * until they do. It guarantees that every record reaches the partition of the same number, byte for
 * byte with headers and timestamp, in the order of the source, at least once; a record appears
 * twice only after a crash or an error of the target (receivers drop such by {@code seq}), never
 * after a cut line. It waits for either side for as long as it takes, with memory bounded by {@link
 * BridgeConfig#bytesInFlightMax()}.
 *
 * <p>If the target lost what it had acknowledged (a recreated topic), copying starts again from the
 * beginning of the source's log. If the source no longer has the position (an outage longer than
 * its retention), copying goes on from what it has, with an error in the log: the receiver sees the
 * gap in {@code seq} and must be re-seeded.
 *
 * <p>One thread, besides Kafka's own. Start, close and ask from any thread.
 */
public final class Bridge implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Bridge.class);
  private static final Duration TARGET_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration CLIENT_CLOSE_TIMEOUT = Duration.ofSeconds(2);
  private static final long BACKOFF_MILLIS_MIN = 50;
  private static final long BACKOFF_MILLIS_MAX = 1_000;
  private static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Longer than it takes to hand a group of events to the producer. */
  private static final int LONG_LINE_LINGER_MILLIS = 3;

  private static final long SHORT_ROUND_TRIP_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final BridgeConfig config;
  private final BridgeCounters counters = new BridgeCounters();
  private final AtomicBoolean closing = new AtomicBoolean();
  private final CountDownLatch closeRequested = new CountDownLatch(1);
  private final Thread thread;
  private final Positions positions;
  private volatile BridgeState state = BridgeState.NEW;
  private volatile @Nullable String trouble;
  private volatile @Nullable BridgeSession session;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private volatile long backlogWhileWaiting;
  private volatile boolean aborted;

  /** A bridge whose figures go to {@code registry}; does nothing until {@link #start()}. */
  public Bridge(BridgeConfig config, MeterRegistry registry) {
    this.config = config;
    this.positions = new Positions(config);
    this.thread = new Thread(this::run, "bridge-" + config.link());
    this.thread.setDaemon(true);
    counters.register(registry, this, config);
  }

  /** Starts copying and returns at once, whether or not the two sides can be reached. */
  public Bridge start() {
    if (state != BridgeState.NEW) {
      throw new IllegalStateException("Bridge " + config.link() + " was started already.");
    }
    state = BridgeState.CONNECTING;
    thread.start();
    return this;
  }

  public BridgeConfig config() {
    return config;
  }

  /** Figures of this moment; cheap. */
  public BridgeStats snapshot() {
    BridgeSession current = session;
    long oldest = current == null ? 0 : current.oldestStampMillis();
    return new BridgeStats(
        config.source(),
        config.target(),
        state,
        counters.events.sum(),
        counters.bytes.sum(),
        counters.wireBytesOfPast.sum() + (current == null ? 0 : current.wireBytes()),
        current == null ? backlogWhileWaiting : current.backlog(),
        current == null ? 0 : current.inFlightEvents(),
        oldest == 0 ? 0 : Math.max(0, System.currentTimeMillis() - oldest),
        counters.lag.quantile(0.5),
        counters.lag.quantile(0.99),
        counters.fenced.sum(),
        counters.restarts.sum(),
        trouble);
  }

  /**
   * Stops reading, waits up to {@link BridgeConfig#closeTimeout()} for outstanding
   * acknowledgements, stores the position and returns. Harmless when repeated.
   */
  @Override
  public void close() {
    requestClose();
    joinThread();
    state = BridgeState.CLOSED;
  }

  /** Ends like a killed process: nothing is awaited, nothing is stored. For tests. */
  void abort() {
    aborted = true;
    requestClose();
    thread.interrupt();
    joinThread();
    state = BridgeState.CLOSED;
  }

  private void requestClose() {
    closing.set(true);
    closeRequested.countDown();
    KafkaConsumer<byte[], byte[]> reading = consumer;
    if (reading != null) {
      reading.wakeup();
    }
  }

  private void joinThread() {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    long backoff = BACKOFF_MILLIS_MIN;
    while (!closing.get()) {
      try {
        copy();
        backoff = BACKOFF_MILLIS_MIN;
      } catch (WakeupException | InterruptException | InterruptedException ending) {
        if (!closing.get()) {
          log.error("Bridge {} was interrupted and stops", config.link());
        }
        break;
      } catch (RuntimeException e) {
        noteTrouble(e);
        if (state == BridgeState.RUNNING) {
          counters.restarts.increment();
          backoff = BACKOFF_MILLIS_MIN;
          state = BridgeState.CONNECTING;
        }
        if (pause(backoff)) {
          break;
        }
        backoff = Math.min(BACKOFF_MILLIS_MAX, backoff * 2);
      }
    }
    state = BridgeState.CLOSED;
  }

  /** One attempt: connects, copies, and cleans up after itself however it ends. */
  private void copy() throws InterruptedException {
    KafkaConsumer<byte[], byte[]> reading = Clients.consumer(config);
    consumer = reading;
    try {
      Map<String, Integer> atSource = positions.topicsAtSource(reading);
      Map<TopicPartition, ResumePoint> points = positions.stored(reading, atSource);
      backlogWhileWaiting = positions.backlog(reading, points);
      TargetTopics target;
      try (Admin admin = Clients.targetAdmin(config)) {
        target = TargetTopics.ask(admin, atSource.keySet(), TARGET_TIMEOUT);
      }
      Map<TopicPartition, ResumePoint> starts = positions.starts(reading, points, target);
      if (starts.isEmpty()) {
        throw new KafkaException(
            "none of the topics "
                + config.topics()
                + " exists at both "
                + config.source()
                + " and "
                + config.target()
                + " yet");
      }
      boolean complete = Positions.topics(starts).containsAll(config.topics());
      copy(reading, starts, target.roundTripNanos(), complete ? 0 : RECHECK_NANOS);
    } finally {
      consumer = null;
      closeConsumer(reading);
    }
  }

  private void copy(
      KafkaConsumer<byte[], byte[]> reading,
      Map<TopicPartition, ResumePoint> starts,
      long roundTripNanos,
      long recheckNanos)
      throws InterruptedException {
    // On a long line requests are few and each should carry a whole group; on a short one nothing
    // should wait.
    int linger = roundTripNanos > SHORT_ROUND_TRIP_NANOS ? LONG_LINE_LINGER_MILLIS : 0;
    KafkaProducer<byte[], byte[]> producer = Clients.producer(config, linger);
    BridgeSession current =
        new BridgeSession(config, counters, closing, reading, producer, starts, recheckNanos);
    session = current;
    try {
      state = BridgeState.RUNNING;
      noteRunning(starts);
      pump(current);
      if (!aborted) {
        finish(current);
      }
    } finally {
      positions.remember(current.resume());
      counters.wireBytesOfPast.add(current.wireBytes());
      backlogWhileWaiting = current.backlog();
      session = null;
      producer.close(Duration.ZERO);
    }
  }

  private void pump(BridgeSession current) throws InterruptedException {
    try {
      current.pump();
    } catch (WakeupException closed) {
      if (!closing.get() || aborted) {
        throw closed;
      }
    }
  }

  private void finish(BridgeSession current) throws InterruptedException {
    try {
      current.finish(config.closeTimeout());
    } catch (WakeupException secondCall) {
      // wakeup() may come too late for the poll it was meant for.
      current.finish(config.closeTimeout());
    }
  }

  private void noteTrouble(RuntimeException e) {
    String sentence = "Bridge " + config.link() + " waits: " + reason(e);
    if (!sentence.equals(trouble)) {
      log.warn("{}. It tries again by itself.", sentence);
      log.debug("Bridge {} failed", config.link(), e);
    }
    trouble = sentence;
  }

  private static String reason(Throwable e) {
    String missing = KafkaRights.missing(e);
    String message = missing == null ? e.getMessage() : missing;
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private void noteRunning(Map<TopicPartition, ResumePoint> starts) {
    trouble = null;
    log.info("Bridge {} copies {}", config.link(), Positions.topics(starts));
  }

  /** Waits; true when the bridge is to close. */
  private boolean pause(long millis) {
    try {
      return closeRequested.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private void closeConsumer(KafkaConsumer<byte[], byte[]> reading) {
    try {
      reading.close(CloseOptions.timeout(aborted ? Duration.ZERO : CLIENT_CLOSE_TIMEOUT));
    } catch (WakeupException | InterruptException ending) {
      log.debug("Bridge {} closed its consumer in haste", config.link());
    }
  }
}
