package io.crosstide.capture;

import io.crosstide.capture.command.InterpreterConfig;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.content.ContentReader;
import io.crosstide.capture.position.CaptureFence;
import io.crosstide.capture.position.CaptureFence.EpochTakenException;
import io.crosstide.capture.position.LogEnd;
import io.crosstide.capture.position.LogTopic;
import io.crosstide.capture.position.OwnLog;
import io.crosstide.capture.publish.AckWatermark;
import io.crosstide.capture.publish.EventPublisher;
import io.crosstide.capture.publish.ProducerSettings;
import io.crosstide.capture.shadow.Checkpoint;
import io.crosstide.capture.shadow.RocksShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowOptions;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.Partitions;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.log.LogTail;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One start of capture: the shadow opened, the log fenced and its end proven, the interpreter set
 * to go on exactly where the shadow stands. Belongs to one thread, except {@link #watermark()} and
 * {@link #publisher()}.
 */
final class CaptureSession implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CaptureSession.class);

  /** Shadow row of the last capture epoch taken: a log emptied by retention must not lower it. */
  private static final String EPOCH_ROW = "rt.epoch";

  private static final int FENCE_ATTEMPTS = 10;

  private final CaptureConfig config;
  private final ChangeEventCodec codec;
  private final Shadow shadow;
  private final AckWatermark watermark;
  private final EventPublisher publisher;
  private final OwnLog ownLog;
  private final StreamInterpreter interpreter;
  private final PublishingSink sink;
  private final ContentReader contents;
  private final BeatSchedule beats;
  private final HybridLogicalClock clock;
  private final int captureEpoch;
  private final long[] logEndSeq;

  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param onDurable called by any thread when the durable offset has advanced
   * @throws org.apache.kafka.common.errors.RetriableException if Kafka is away
   * @throws CaptureFailedException if the log and the shadow do not fit each other
   */
  static CaptureSession open(
      CaptureConfig config, ChangeEventCodec codec, CaptureCounters counters, Runnable onDurable)
      throws InterruptedException, EpochTakenException {
    LogTopic.ensure(
        config.kafka(),
        Topics.changesSpec(config.region(), config.partitions(), config.retention()));
    codec.register();
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      return new CaptureSession(config, codec, counters, onDurable, opened);
    } catch (RuntimeException | InterruptedException | EpochTakenException e) {
      closeAll(opened, e);
      throw e;
    }
  }

  private CaptureSession(
      CaptureConfig config,
      ChangeEventCodec codec,
      CaptureCounters counters,
      Runnable onDurable,
      List<AutoCloseable> opened)
      throws InterruptedException, EpochTakenException {
    this.config = config;
    this.codec = codec;
    this.shadow = openShadow(config);
    opened.add(shadow);
    Producer<byte[], byte[]> producer =
        ProducerSettings.producer(
            config.kafka(),
            "capture-" + config.region(),
            config.inFlightBytesMax(),
            config.partitions());
    this.watermark = new AckWatermark(onDurable);
    this.publisher =
        new EventPublisher(
            producer,
            codec,
            config.topic(),
            watermark,
            config.inFlightBytesMax(),
            config.inFlightRecordsMax());
    opened.add(publisher);
    this.ownLog = OwnLog.open(config.kafka(), codec, config.topic());
    opened.add(ownLog);
    this.beats = new BeatSchedule(config.partitions(), System.nanoTime());
    this.contents = new ContentReader(config.redis(), config.eventBytesMax());
    opened.add(contents);
    this.sink =
        new PublishingSink(publisher, watermark, shadow, beats, this::beat, counters, contents);
    this.clock =
        new HybridLogicalClock(System::currentTimeMillis, config.clockSkewMax().toMillis());

    CaptureFence fence =
        new CaptureFence(ownLog, producer, codec, config.topic(), config.partitions());
    int storedEpoch = storedEpoch();
    List<LogEnd> before =
        fence.endsBefore(
            Arrays.stream(StreamInterpreter.lastSeqs(shadow, config.partitions()))
                .mapToObj(seq -> LogTail.Reach.known(storedEpoch, seq))
                .toList());
    this.captureEpoch = Math.max(CaptureFence.epochMax(before), storedEpoch) + 1;
    this.interpreter =
        new StreamInterpreter(
            InterpreterConfig.of(
                    Origin.of(config.regionId()),
                    config.partitions(),
                    captureEpoch,
                    key -> Partitions.of(key, config.partitions()),
                    System::currentTimeMillis)
                .withFloatIncrements(config.floatIncrements())
                .withFlush(config.flush())
                .withMessages(config.messages())
                .withLimits(config.eventBytesMax(), InterpreterConfig.TRANSACTION_EVENTS_MAX),
            shadow,
            clock,
            sink);
    resumeClock(before);
    // Before the fence is written: it carries what was derived, whatever the log says.
    for (int partition = 0; partition < config.partitions(); partition++) {
      requireHeldByLog(partition, before.get(partition));
    }
    List<LogEnd> ends =
        fence.raise(
            captureEpoch,
            before,
            (partition, end) -> withSeq(interpreter.fence(partition), end.seq()));
    resumeClock(ends);
    publisher.watchOrder(captureEpoch, fence.offsets(), this::captureEpochMax);
    this.logEndSeq = ends.stream().mapToLong(LogEnd::seq).toArray();
    for (int partition = 0; partition < config.partitions(); partition++) {
      adoptEnd(partition, ends.get(partition));
    }
    shadow.meta(EPOCH_ROW, ByteBuffer.allocate(Integer.BYTES).putInt(captureEpoch).array());
    Checkpoint from = shadow.committed();
    watermark.startAt(0, from == null ? -1 : from.replOffset());
    log.info(
        "capture of {} has epoch {} and goes on from {}",
        config.region(),
        captureEpoch,
        from == null || !from.hasPosition()
            ? "a snapshot"
            : "replOffset " + from.replOffset() + " of " + from.replId());
  }

  /** With a consumer of its own: it is asked beside everything else, and almost never. */
  private int captureEpochMax(int partition, long from, long to) {
    try (OwnLog beside = OwnLog.open(config.kafka(), codec, config.topic())) {
      return beside.captureEpochMax(partition, from, to);
    }
  }

  private static Shadow openShadow(CaptureConfig config) {
    try {
      Files.createDirectories(config.dataDir());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "capture's data directory " + config.dataDir() + " cannot be created", e);
    }
    return RocksShadow.open(config.dataDir().resolve("shadow"), ShadowOptions.defaults());
  }

  /** Opens a session, with another epoch as often as another capture was faster. */
  static CaptureSession openFenced(
      CaptureConfig config, ChangeEventCodec codec, CaptureCounters counters, Runnable onDurable)
      throws InterruptedException {
    EpochTakenException last = null;
    for (int attempt = 0; attempt < FENCE_ATTEMPTS; attempt++) {
      try {
        return open(config, codec, counters, onDurable);
      } catch (EpochTakenException e) {
        log.warn("{}: taking a higher epoch", e.getMessage());
        last = e;
      }
    }
    throw new CaptureFailedException(
        "another capture of "
            + config.region()
            + " keeps taking over its log: run only one. Last seen: "
            + (last == null ? "nothing" : last.getMessage()));
  }

  private int storedEpoch() {
    byte[] stored = shadow.meta(EPOCH_ROW);
    return stored == null ? 0 : ByteBuffer.wrap(stored).getInt();
  }

  private void resumeClock(List<LogEnd> ends) {
    Checkpoint from = shadow.committed();
    if (from != null) {
      clock.resumeAfter(from.hlc());
    }
    ends.forEach(end -> clock.resumeAfter(end.stampMax()));
  }

  private void requireHeldByLog(int partition, LogEnd end) {
    long derived = interpreter.sequencer().last(partition);
    if (derived > end.seq() && !end.emptied()) {
      throw new CaptureFailedException(
          config.topic()
              + "-"
              + partition
              + " ends at event "
              + end.seq()
              + ", but Kafka had acknowledged event "
              + derived
              + " to capture: the log has lost its end, or another capture had taken over and this"
              + " one wrote on. Events of the same number would differ, so none is published. If"
              + " it was another capture, delete "
              + config.dataDir()
              + " to have the shadow rebuilt by a full resync, and run only one; else restore the"
              + " topic, or rebuild this region under a new incarnation.");
    }
  }

  private void adoptEnd(int partition, LogEnd end) {
    interpreter.sequencer().logEnd(partition, end.seq(), end.replOffset(), end.index());
  }

  private static ChangeEvent withSeq(ChangeEvent fence, long logEndSeq) {
    long seq = Math.max(fence.seq(), logEndSeq);
    return new ChangeEvent(
        fence.origin(),
        seq,
        seq,
        fence.captureEpoch(),
        fence.stamp(),
        fence.context(),
        fence.exceptions(),
        fence.fx(),
        fence.key(),
        fence.change(),
        fence.position(),
        fence.transaction());
  }

  private void beat(int partition) {
    // The log already holds later events than the one being derived again: a beat now would lie.
    if (!interpreter.sequencer().behindLog(partition)) {
      sink.event(partition, interpreter.beat(partition));
    }
    beats.beatPublished(partition, System.nanoTime());
  }

  /** Publishes a beat of every partition, as a full resync's differences are all in the log. */
  void beatAll() {
    for (int partition = 0; partition < config.partitions(); partition++) {
      beat(partition);
    }
  }

  /** Publishes the beats that are due. Between units only. */
  void beatIfDue() {
    beats.look(System.nanoTime(), this::beat);
  }

  /** The last beacon known to have been written; 0 if none is. */
  long lastBeaconMillis() {
    return interpreter.streamMillis();
  }

  CaptureConfig config() {
    return config;
  }

  Shadow shadow() {
    return shadow;
  }

  StreamInterpreter interpreter() {
    return interpreter;
  }

  PublishingSink sink() {
    return sink;
  }

  AckWatermark watermark() {
    return watermark;
  }

  EventPublisher publisher() {
    return publisher;
  }

  OwnLog ownLog() {
    return ownLog;
  }

  HybridLogicalClock clock() {
    return clock;
  }

  int captureEpoch() {
    return captureEpoch;
  }

  /** The last seq that the log held when it was fenced. */
  long logEndSeq(int partition) {
    return logEndSeq[partition];
  }

  /** Waits for what is in flight, at most {@code timeout}, and lets the shadow follow it. */
  void closeCleanly(Duration timeout) {
    if (closed.get()) {
      return;
    }
    publisher.close(timeout);
    sink.commitAcknowledged();
    close();
  }

  /** Leaves everything as a crash would. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    closeAll(List.of(contents, publisher, ownLog, shadow), null);
  }

  private static void closeAll(
      List<? extends AutoCloseable> resources, @org.jspecify.annotations.Nullable Exception cause) {
    for (AutoCloseable resource : resources) {
      try {
        resource.close();
      } catch (Exception e) {
        if (cause == null) {
          log.warn("closing {}", resource, e);
        } else {
          cause.addSuppressed(e);
        }
      }
    }
  }
}
