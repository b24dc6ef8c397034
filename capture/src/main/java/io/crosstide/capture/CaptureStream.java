package io.crosstide.capture;

import com.moilioncircle.redis.replicator.event.Event;
import io.crosstide.capture.beacon.BeaconWriter;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.psync.PsyncHandler;
import io.crosstide.capture.psync.PsyncPosition;
import io.crosstide.capture.rdb.LossReport;
import io.crosstide.capture.rdb.Resync;
import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.capture.rdb.Snapshot;
import io.crosstide.capture.shadow.Checkpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds what a Redis sends to the interpreter: commands as they come, snapshots by comparison.
 * Knows from where to ask on when the connection is made again.
 */
final class CaptureStream implements PsyncHandler {
  private static final Logger log = LoggerFactory.getLogger(CaptureStream.class);

  /** What happens to the stream, for the agent's state. */
  interface Observer {
    void syncing(String sentence);

    void streaming(String sentence);
  }

  /** How often beats, commits and counters are looked after. */
  private static final long LOOK_NANOS = 50_000_000L;

  private final CaptureSession session;
  private final StreamInterpreter interpreter;
  private final SentEffects sentEffects;
  private final BeaconWriter beacon;
  private final CaptureCounters counters;
  private final Observer observer;
  private PsyncPosition position;
  private @Nullable Snapshot snapshot;

  /** Where the snapshot being read stands. */
  private PsyncPosition snapshotPosition = PsyncPosition.NONE;

  private boolean answered;
  private long lookNanos = System.nanoTime();

  CaptureStream(
      CaptureSession session,
      SentEffects sentEffects,
      BeaconWriter beacon,
      CaptureCounters counters,
      Observer observer) {
    this.session = session;
    this.interpreter = session.interpreter();
    this.sentEffects = sentEffects;
    this.beacon = beacon;
    this.counters = counters;
    this.observer = observer;
    new LossReport(session.shadow()).publish(interpreter); // what a start before this one left
    Checkpoint from = session.shadow().committed();
    this.position =
        from != null && from.hasPosition()
            ? new PsyncPosition(from.replId(), from.replOffset())
            : PsyncPosition.NONE;
  }

  /** Where the next connection must go on: the end of the last unit read. */
  PsyncPosition position() {
    return position;
  }

  /**
   * The connection is gone: forgets what was read of a transaction that has not ended. Returns
   * whether anything had been received.
   */
  boolean disconnected() {
    boolean received = answered;
    answered = false;
    interpreter.dropOpenTransaction();
    if (!position.isNone()) {
      position = new PsyncPosition(position.replId(), interpreter.unitOffset());
    }
    Snapshot unfinished = snapshot;
    if (unfinished != null) {
      unfinished.close();
      snapshot = null;
    }
    return received;
  }

  @Override
  public void onContinue(String replId) {
    answered = true;
    beacon.forgetWentBack(); // the history goes on: nothing of it was lost
    if (!replId.equals(position.replId())) {
      log.info("Redis goes on with the same history as {} (before: {})", replId, position.replId());
      position = new PsyncPosition(replId, position.replOffset());
      interpreter.replId(replId);
    }
    interpreter.streamResumed();
    observer.streaming("following " + session.config().redis() + " from " + position.replOffset());
  }

  @Override
  public void onFullResync(String replId, long replOffset) {
    answered = true;
    observer.syncing("reading a snapshot of " + session.config().redis());
    counters.fullResyncs.increment();
    interpreter.dropOpenTransaction();
    session.publisher().drain();
    session.sink().commitAcknowledged();
    snapshotPosition = new PsyncPosition(replId, replOffset);
    snapshot = new Snapshot(session.config().dataDir().resolve("snapshot"));
  }

  @Override
  public void onRdbEvent(Event event) {
    reading().accept(event);
  }

  @Override
  public void onRdbEnd() {
    try (Snapshot complete = reading()) {
      snapshot = null;
      log.info("snapshot of {} keys read; comparing it with the shadow", complete.keys());
      complete
          .unsupported()
          .forEach(
              (type, count) ->
                  log.warn("{} keys are not replicated because of their type: {}", count, type));
      counters.snapshotKeys(complete.unsupported());
      Resync resync =
          new Resync(
                  interpreter,
                  session.shadow(),
                  session.config().partitions(),
                  session.ownLog()::eventsAfter,
                  logEnds(),
                  sentEffects,
                  session.config().resync(),
                  session.config().eventBytesMax())
              .beside(beacon::writtenBefore, beacon::wentBack, this::commit);
      resync.run(
          complete,
          snapshotPosition.replId(),
          snapshotPosition.replOffset(),
          snapshotPosition.replId().equals(position.replId()),
          interpreter.streamMillis(),
          System.currentTimeMillis());
      // Redis counts a replica that has read the snapshot as having all writes before it: let it
      // hear of us only when they are in Kafka.
      session.beatAll();
      commit();
      if (resync.foundLoss()) {
        beacon.lossDealtWith();
      } else {
        beacon.forgetWentBack();
      }
      log.info("{} differences published", resync.published());
      if (resync.refused() > 0) {
        counters.refusedInSnapshot(session.config().eventBytesMax(), resync.refused());
        log.warn(
            "{} values of the snapshot are longer than {} bytes and are not replicated",
            resync.refused(),
            session.config().eventBytesMax());
      }
      position = snapshotPosition;
    }
    interpreter.streamResumed();
    observer.streaming("following " + session.config().redis() + " from " + position.replOffset());
  }

  private void commit() {
    session.publisher().drain();
    session.sink().commitAcknowledged();
  }

  private long[] logEnds() {
    long[] ends = new long[session.config().partitions()];
    for (int partition = 0; partition < ends.length; partition++) {
      ends[partition] = session.logEndSeq(partition);
    }
    return ends;
  }

  private Snapshot reading() {
    Snapshot current = snapshot;
    if (current == null) {
      throw new IllegalStateException("Redis sent a snapshot that was not announced");
    }
    return current;
  }

  @Override
  public void onCommand(byte[][] argv, long endOffset) {
    interpreter.command(argv, endOffset);
    counters.commands.increment();
    look();
  }

  private void look() {
    long now = System.nanoTime();
    if (now - lookNanos < LOOK_NANOS) {
      return;
    }
    lookNanos = now;
    session.beatIfDue();
    beacon.shown(interpreter.streamMillis());
    session.sink().commitAcknowledged();
    publishCounters();
  }

  void publishCounters() {
    counters.publish(
        interpreter.unsupported(),
        interpreter.unitOffset(),
        interpreter.streamMillis(),
        interpreter.echoes(),
        session.clock().skewMillis());
  }
}
