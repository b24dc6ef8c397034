package io.crosstide.simulation;

import io.crosstide.capture.command.EventSink;
import io.crosstide.capture.command.InterpreterConfig;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.position.LogEnd;
import io.crosstide.capture.rdb.LossReport;
import io.crosstide.capture.rdb.Resync;
import io.crosstide.capture.rdb.ResyncPolicy;
import io.crosstide.capture.rdb.ResyncRefusedException;
import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.capture.rdb.Snapshot;
import io.crosstide.capture.shadow.Checkpoint;
import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Production's capture without its sockets, threads and Kafka: interpreter, markers, sequencer,
 * shadow and full resyncs are the real ones; what {@code CaptureSession}, {@code CaptureStream} and
 * {@code PublishingSink} do around them is done here in the same order, one step at a time.
 *
 * <p>What was sent to Kafka waits in {@link #inFlight} until a step appends it; the shadow is
 * committed up to what was appended. A crash leaves the committed shadow; of what was in flight, a
 * first part is appended at once or later, behind the successor's fence.
 */
final class SimCapture implements CaptureStage, EventSink {
  /** How much sharper than this capture cannot tell a delete from an expiry. */
  static final long SLACK_MILLIS = 64;

  private static final String EPOCH_ROW = "rt.epoch";
  private static final int PARTITION = 0;
  private static final int EVENT_BYTES_MAX = 1 << 20;

  /** What Kafka, the oracle and the owner are to capture. */
  interface Surroundings {
    void append(ChangeEvent event);

    /**
     * @param marker what capture knows of it now
     */
    void resynced(List<ChangeEvent> differences, MarkerState marker);

    SentEffects sentEffects();
  }

  private final Origin origin;
  private final SimRedis redis;
  private final SimLog log;
  private final LongSupplier millis;
  private final Surroundings surroundings;
  private final Plant plant;
  private final Map<String, Integer> statistics;

  /** What stands on disk and outlives the process. */
  private InMemoryShadow shadow = new InMemoryShadow();

  // --- one process

  private @Nullable StreamInterpreter interpreter;
  private String replId = "?";
  private long replOffset = -1;
  private boolean connected;
  private long logEndSeq;
  private long beaconMillis;

  /** As production's writer of the beacon: what stands is asked for after a restart. */
  private boolean beaconAsks;

  private boolean wentBack;
  private long beaconBefore;
  private long beaconWritten;
  private boolean lossFound;

  /** Set while a full resync derives events. */
  private @Nullable List<ChangeEvent> differences;

  /** What was found by a resync is to be in Kafka before anything more is read. */
  private boolean draining;

  /** With {@link Plant#FORGETS_INDEX}, the place of a command all of which counts as published. */
  private long forgottenOffset = -1;

  private final Deque<ChangeEvent> inFlight = new ArrayDeque<>();
  private final Deque<Unit> units = new ArrayDeque<>();
  private long sent;
  private long appended;

  /** Records of captures that are gone, still on their way. */
  private final Deque<ChangeEvent> late = new ArrayDeque<>();

  private record Unit(long number, long sent) {}

  SimCapture(
      Origin origin,
      SimRedis redis,
      SimLog log,
      LongSupplier millis,
      Surroundings surroundings,
      Plant plant,
      Map<String, Integer> statistics) {
    this.origin = origin;
    this.redis = redis;
    this.log = log;
    this.millis = millis;
    this.surroundings = surroundings;
    this.plant = plant;
    this.statistics = statistics;
  }

  private void count(String what) {
    statistics.merge(what, 1, Integer::sum);
  }

  private StreamInterpreter running() {
    return Objects.requireNonNull(interpreter);
  }

  @Override
  public boolean isIdle() {
    return connected
        && inFlight.isEmpty()
        && late.isEmpty()
        && redis.replication.after(replOffset) == null;
  }

  @Override
  public void step(Random random) {
    if (interpreter == null) {
      start();
    } else if (draining) {
      draining = !inFlight.isEmpty();
    } else if (!connected) {
      connect(random);
    } else {
      read();
    }
    append(random.nextInt(3) == 0 ? random.nextInt(3) : Integer.MAX_VALUE);
    if (!late.isEmpty() && random.nextInt(8) == 0) {
      ChangeEvent event = late.removeFirst();
      int epoch = plant == Plant.IGNORES_FENCE ? log.end().captureEpoch() : event.captureEpoch();
      surroundings.append(with(event, event.seq(), epoch));
    }
    if (random.nextInt(3) == 0) {
      commit();
    }
  }

  // --- as CaptureSession
  // ------------------------------------------------------------------------------------------------------------

  private void start() {
    LogEnd before = log.end();
    byte[] stored = shadow.meta(EPOCH_ROW);
    int storedEpoch = stored == null ? 0 : ByteBuffer.wrap(stored).getInt();
    int captureEpoch = Math.max(before.captureEpoch(), storedEpoch) + 1;
    HybridLogicalClock clock = new HybridLogicalClock(millis, 1000);
    StreamInterpreter fresh =
        new StreamInterpreter(
            InterpreterConfig.of(origin, 1, captureEpoch, key -> PARTITION, millis)
                .withStreamSlackMillis(SLACK_MILLIS),
            shadow,
            clock,
            this);
    clock.resumeAfter(before.stampMax());
    ChangeEvent fence = fresh.fence(PARTITION);
    surroundings.append(with(fence, Math.max(fence.seq(), before.seq()), captureEpoch));
    LogEnd end = log.end();
    clock.resumeAfter(end.stampMax());
    long derived = fresh.sequencer().last(PARTITION);
    if (derived > end.seq()) {
      throw new IllegalStateException(
          "the log ends at " + end.seq() + ", but " + derived + " were acknowledged");
    }
    forgottenOffset = plant == Plant.FORGETS_INDEX ? end.replOffset() : -1;
    fresh.sequencer().logEnd(PARTITION, end.seq(), end.replOffset(), end.index());
    shadow.meta(EPOCH_ROW, ByteBuffer.allocate(Integer.BYTES).putInt(captureEpoch).array());
    Checkpoint from = shadow.committed();
    if (from != null && from.hasPosition()) {
      replId = from.replId();
      replOffset = from.replOffset();
    } else {
      replId = "?";
      replOffset = -1;
    }
    logEndSeq = end.seq();
    beaconMillis = fresh.streamMillis();
    beaconWritten = beaconMillis;
    interpreter = fresh;
    connected = false;
    new LossReport(shadow).publish(fresh);
  }

  private static ChangeEvent with(ChangeEvent event, long seq, int captureEpoch) {
    return new ChangeEvent(
        event.origin(),
        seq,
        event.isControl() ? seq : event.previousSeq(),
        captureEpoch,
        event.stamp(),
        event.context(),
        event.exceptions(),
        event.fx(),
        event.key(),
        event.change(),
        event.position(),
        event.transaction(),
        event.createsKey());
  }

  @Override
  public void beat() {
    if (interpreter != null && !interpreter.sequencer().behindLog(PARTITION)) {
      event(PARTITION, interpreter.beat(PARTITION));
    }
  }

  @Override
  public long lastBeaconKnown() {
    return interpreter == null ? 0 : Math.max(beaconWritten, interpreter.streamMillis());
  }

  @Override
  public void redisRestarted() {
    disconnect();
    append(Integer.MAX_VALUE);
    beaconAsks = true;
  }

  @Override
  public void beacon() {
    if (interpreter != null) {
      if (beaconAsks) {
        beaconAsks = false;
        beaconBefore = beaconWritten;
        wentBack = redis.beaconMillis < beaconWritten;
      }
      if (wentBack && redis.beaconMillis > 0) {
        return; // left for the snapshot to show
      }
      // The first write of BeaconWriter learns of a beacon that the shadow does not know of.
      beaconMillis = Math.max(Math.max(beaconMillis, redis.beaconMillis), millis.getAsLong());
      redis.beacon(beaconMillis);
      beaconWritten = beaconMillis;
    }
  }

  // --- as CaptureStream
  // -------------------------------------------------------------------------------------------------------------

  private void connect(Random random) {
    if (redis.replication.reaches(replId, replOffset)) {
      running().streamResumed();
    } else {
      fullResync(random);
    }
    connected = interpreter != null;
  }

  private void read() {
    ReplicationStream.Sent command = redis.replication.after(replOffset);
    if (command != null) {
      replOffset = command.endOffset();
      running().command(command.argv().toArray(new byte[0][]), command.endOffset());
      wentBack &= running().streamMillis() < beaconMillis;
    }
  }

  @Override
  public void disconnect() {
    if (interpreter == null) {
      return;
    }
    connected = false;
    interpreter.dropOpenTransaction();
    if (replOffset >= 0) {
      replOffset = interpreter.unitOffset();
    }
  }

  private void fullResync(Random random) {
    count("full resyncs");
    StreamInterpreter running = running();
    running.dropOpenTransaction();
    append(Integer.MAX_VALUE);
    commit();
    List<ChangeEvent> found = new ArrayList<>();
    String newReplId = redis.replication.replId();
    long newOffset = redis.replication.offset();
    redis.replication.snapshotTaken();
    try (Snapshot snapshot = SimSnapshot.of(redis)) {
      differences = found;
      Resync resync =
          new Resync(
                  running,
                  shadow,
                  1,
                  (partition, seq, receiver) -> log.eventsAfter(seq, receiver),
                  new long[] {logEndSeq},
                  surroundings.sentEffects(),
                  ResyncPolicy.FAIL,
                  EVENT_BYTES_MAX)
              .beside(
                  () -> beaconAsks ? beaconWritten : beaconBefore,
                  () -> wentBack,
                  () -> {
                    append(Integer.MAX_VALUE);
                    commit();
                  });
      resync.run(
          snapshot,
          newReplId,
          newOffset,
          newReplId.equals(replId),
          running.streamMillis(),
          millis.getAsLong());
      lossFound = resync.foundLoss();
      if (lossFound) {
        count("resyncs of a Redis that lost data");
      }
    } catch (ResyncRefusedException e) {
      count("resyncs refused");
      crash(random);
      return;
    } finally {
      differences = null;
    }
    statistics.merge("differences", found.size(), Integer::sum);
    wentBack = false;
    if (lossFound) {
      beaconWritten = redis.beaconMillis;
      beaconBefore = beaconWritten;
    }
    surroundings.resynced(found, running.markers().state(PARTITION));
    replId = newReplId;
    replOffset = newOffset;
    beat();
    running.streamResumed();
    draining = true;
    if (random.nextInt(4) == 0) {
      count("crashes amid a resync");
      crash(random);
    }
  }

  // --- as PublishingSink
  // ------------------------------------------------------------------------------------------------------------

  @Override
  public void event(int partition, ChangeEvent event) {
    if (!event.isControl() && event.position().replOffset() == forgottenOffset) {
      return;
    }
    inFlight.add(event);
    sent++;
    if (differences != null && !event.isControl()) {
      differences.add(event);
    }
  }

  @Override
  public void markerSeen(int partition, Fx fx, boolean heldProbe) {
    if (heldProbe) {
      beat();
    }
  }

  @Override
  public void unitEnd(long unit, long endOffset) {
    units.add(new Unit(unit, sent));
  }

  @Override
  public void unsupported(String name, String consequence) {
    throw new IllegalStateException(name + " is not supported: " + consequence);
  }

  /** Kafka takes up to {@code count} of the records in flight. */
  private void append(int count) {
    for (int i = 0; i < count && !inFlight.isEmpty(); i++) {
      appended++;
      surroundings.append(inFlight.removeFirst());
    }
  }

  /** The shadow on disk follows what Kafka has acknowledged. */
  private void commit() {
    long durable = 0;
    while (!units.isEmpty()
        && (units.getFirst().sent() <= appended || plant == Plant.COMMITS_EARLY)) {
      durable = units.removeFirst().number();
    }
    if (durable > 0) {
      shadow.commitThrough(durable);
    }
  }

  @Override
  public boolean isBeforeSnapshot() {
    return !connected;
  }

  // --- faults
  // -----------------------------------------------------------------------------------------------------------------------

  @Override
  public void crash(Random random) {
    if (interpreter == null) {
      return;
    }
    count("capture crashes");
    append(random.nextInt(inFlight.size() + 1));
    if (random.nextBoolean()) {
      commit();
    }
    if (random.nextBoolean()) {
      late.addAll(inFlight);
    }
    inFlight.clear();
    units.clear();
    sent = 0;
    appended = 0;
    draining = false;
    connected = false;
    interpreter = null;
    wentBack = false;
    beaconAsks = true;
    shadow = shadow.crashed();
  }
}
