package io.crosstide.capture;

import io.crosstide.capture.beacon.BeaconWriter;
import io.crosstide.capture.psync.PsyncConnection;
import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.KafkaRights;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistryUnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The capture role of one region: reads its Redis's replication stream, publishes every local write
 * to {@code changes.<region>} exactly once, and acknowledges to Redis what Kafka has acknowledged.
 *
 * <p>While Redis or Kafka is away it tries again for ever. What it cannot understand it never
 * skips: it stops as {@link CaptureState#FAILED} with the position kept and says why. A process
 * that dies on any line goes on at the next start from its shadow, derives again what the log may
 * lack, and publishes what it does lack.
 *
 * <p>Threads: one that reads and derives, Kafka's sender, one for acknowledgements, one for the
 * beacon.
 */
public final class CaptureAgent implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CaptureAgent.class);

  private static final long BACKOFF_MILLIS_MIN = 50;
  private static final long BACKOFF_MILLIS_MAX = 1_000;

  /** How long a clean close waits for Kafka; what it does not get is derived again. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final CaptureConfig config;
  private final ChangeEventCodec codec;
  private final SentEffects sentEffects;
  private final CaptureCounters counters = new CaptureCounters();

  private final BeaconWriter beacon;
  private final Thread thread;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private volatile Status status = new Status(CaptureState.STARTING, "not started");
  private volatile @Nullable CaptureSession session;
  private volatile @Nullable PsyncConnection connection;
  private volatile boolean abandoned;

  private record Status(CaptureState state, String sentence) {}

  /**
   * @param registry where the events' schema has its id
   */
  public CaptureAgent(CaptureConfig config, SchemaRegistry registry) {
    this(config, registry, SentEffects.NONE);
  }

  /**
   * @param sentEffects what streams remembers of the effects it sent, for full resyncs (P7)
   */
  public CaptureAgent(CaptureConfig config, SchemaRegistry registry, SentEffects sentEffects) {
    this.config = config;
    this.codec = new ChangeEventCodec(registry, config.topic());
    this.sentEffects = sentEffects;
    this.beacon = new BeaconWriter(config.redis(), System::currentTimeMillis);
    this.thread = new Thread(this::run, "capture-" + config.region());
  }

  /** Starts in the background; returns at once. */
  public void start() {
    thread.start();
  }

  public CaptureState state() {
    return status.state();
  }

  /** The state in words: why it is disconnected or failed, else what it is doing. */
  public String sentence() {
    return status.sentence();
  }

  /** What was done since the start, as of now. Any thread. */
  public CaptureStats snapshot() {
    Status now = status;
    CaptureSession open = session;
    long durable = open == null ? -1 : open.watermark().offset();
    long read = Math.max(counters.readOffset(), durable);
    long beaconMillis = counters.streamMillis();
    return new CaptureStats(
        now.state(),
        now.sentence(),
        open == null ? 0 : open.captureEpoch(),
        counters.commands.sum(),
        counters.events.sum(),
        counters.controlEvents.sum(),
        counters.markers.sum(),
        counters.echoes(),
        open == null ? 0 : open.publisher().acknowledged(),
        counters.unsupported(),
        counters.local(),
        read,
        durable,
        durable < 0 ? 0 : read - durable,
        beaconMillis == 0 ? 0 : Math.max(0, System.currentTimeMillis() - beaconMillis),
        open == null ? 0 : open.publisher().inFlightRecords(),
        open == null ? 0 : open.publisher().inFlightBytes(),
        counters.fullResyncs.sum(),
        Math.max(0, counters.connections.sum() - 1),
        counters.clockSkewMillis());
  }

  private void run() {
    log.info("{}", config);
    try {
      long backoff = BACKOFF_MILLIS_MIN;
      while (!stopped()) {
        try {
          CaptureSession opened = open();
          backoff = BACKOFF_MILLIS_MIN;
          beacon.notBefore(opened.lastBeaconMillis());
          beacon.start();
          follow(opened);
        } catch (RetriableException | SchemaRegistryUnavailableException e) {
          disconnected("Kafka or the schema registry is away: " + e.getMessage());
          closeSession();
        }
        pause(backoff);
        backoff = Math.min(BACKOFF_MILLIS_MAX, backoff * 2);
      }
      set(CaptureState.CLOSED, "closed");
    } catch (InterruptedException e) {
      set(CaptureState.CLOSED, "closed");
    } catch (Throwable e) {
      if (stopped()) {
        log.debug("while closing", e);
        set(CaptureState.CLOSED, "closed");
      } else {
        log.error("capture of {} stops, its position is kept", config.region(), e);
        set(CaptureState.FAILED, sentence(e));
      }
    } finally {
      // Interrupted to get here perhaps; closing must not be.
      boolean interrupted = Thread.interrupted();
      log.debug("ending, interrupted: {}", interrupted);
      beacon.close();
      closeSession();
    }
  }

  private String sentence(Throwable failure) {
    if (failure instanceof OutOfMemoryError) {
      return "the heap of "
          + (Runtime.getRuntime().maxMemory() >> 20)
          + " MB is too small ("
          + failure.getMessage()
          + "): raise -Xmx, or lower limits.event-bytes-max, now "
          + config.eventBytesMax()
          + "; then start it again";
    }
    String missing = KafkaRights.missing(failure);
    return missing == null ? String.valueOf(failure.getMessage()) : missing;
  }

  private CaptureSession open() throws InterruptedException {
    set(CaptureState.STARTING, "fencing and reading the end of " + config.topic());
    CaptureSession opened =
        CaptureSession.openFenced(
            config,
            codec,
            counters,
            () -> {
              PsyncConnection open = connection;
              if (open != null) {
                open.durableAdvanced();
              }
            });
    session = opened;
    return opened;
  }

  /** Follows Redis over as many connections as it takes. */
  private void follow(CaptureSession open) throws InterruptedException {
    CaptureStream stream =
        new CaptureStream(
            open,
            sentEffects,
            beacon,
            counters,
            new CaptureStream.Observer() {
              @Override
              public void syncing(String sentence) {
                set(CaptureState.SYNCING, sentence);
              }

              @Override
              public void streaming(String sentence) {
                set(CaptureState.STREAMING, sentence);
              }
            });
    long backoff = BACKOFF_MILLIS_MIN;
    while (!stopped()) {
      try (PsyncConnection made =
          new PsyncConnection(
              config.redis(),
              stream.position(),
              stream,
              open.watermark()::offset,
              config.eventBytesMax())) {
        counters.connections.increment();
        connection = made;
        if (!stopped()) {
          made.run();
        }
      } catch (IOException e) {
        if (!stopped()) {
          String reason = String.valueOf(e.getMessage());
          String redis = config.redis().toString();
          disconnected(reason.contains(redis) ? reason : redis + ": " + reason);
        }
      } finally {
        connection = null;
      }
      boolean wasStreaming = stream.disconnected();
      stream.publishCounters();
      backoff = wasStreaming ? BACKOFF_MILLIS_MIN : Math.min(BACKOFF_MILLIS_MAX, backoff * 2);
      pause(backoff);
    }
  }

  private boolean stopped() {
    return stopping.getCount() == 0;
  }

  private void pause(long millis) throws InterruptedException {
    boolean ended = stopping.await(millis, TimeUnit.MILLISECONDS);
    if (ended) {
      log.debug("stopping");
    }
  }

  private void disconnected(String why) {
    if (status.state() != CaptureState.DISCONNECTED) {
      log.warn("capture of {} is disconnected, trying on: {}", config.region(), why);
    }
    set(CaptureState.DISCONNECTED, why);
  }

  private void set(CaptureState state, String sentence) {
    status = new Status(state, sentence);
  }

  private void closeSession() {
    CaptureSession open = session;
    if (open == null) {
      return;
    }
    if (abandoned) {
      open.close();
    } else {
      open.closeCleanly(CLOSE_TIMEOUT);
    }
  }

  /** Stops, letting Kafka have what was read, for a few seconds at most. */
  @Override
  public void close() {
    stop();
    try {
      thread.join(CLOSE_TIMEOUT.toMillis());
      if (thread.isAlive()) {
        // Blocked on Kafka's back-pressure.
        thread.interrupt();
        thread.join();
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  /** Stops as a crash would: nothing is waited for, nothing is written any more. For tests. */
  void abandon() throws InterruptedException {
    abandoned = true;
    stopping.countDown();
    CaptureSession open = session;
    if (open != null) {
      open.publisher().close();
    }
    stop();
    thread.interrupt();
    thread.join();
  }

  private void stop() {
    stopping.countDown();
    PsyncConnection open = connection;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        log.debug("closing the connection", e);
      }
    }
  }
}
