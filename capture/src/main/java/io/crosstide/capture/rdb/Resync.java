package io.crosstide.capture.rdb;

import io.crosstide.capture.command.MarkerTracker;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.rdb.CatchUp.Plan;
import io.crosstide.capture.rdb.SentEffects.Applied;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the shadow to what a snapshot shows and publishes what clients of this region did
 * meanwhile, and only that (P7): per element, the shadow with the own log's events and the effects
 * up to the snapshot's marker folded in is what was expected; what differs from it was written
 * locally.
 *
 * <p>A Redis that came back older or empty has lost data (P8). It has then deleted nothing,
 * whatever the differences look like: the owners are told what to write back ({@link Losses}). That
 * this has begun is remembered until it is done, for by then nothing else tells: the beacon is
 * written again, and the markers.
 *
 * <p>Differences carry the snapshot's markers, and the last time known before the cut. A process
 * that dies midway has a shadow that holds what Kafka has acknowledged of them, and no position:
 * the next start takes another snapshot and finds the rest.
 */
public final class Resync {
  private static final Logger log = LoggerFactory.getLogger(Resync.class);

  /** Says since when, and why, Redis is being refilled; empty when it is not. */
  private static final String REFILLING_ROW = "rt.refilling";

  private final StreamInterpreter interpreter;
  private final Shadow shadow;
  private final int partitions;
  private final LocalLog localLog;
  private final long[] logEnds;
  private final SentEffects sentEffects;
  private final ResyncPolicy policy;
  private final int eventBytesMax;
  private final Units units;
  private BooleanSupplier beaconWentBack = () -> false;
  private LongSupplier beaconWritten = () -> 0;
  private Runnable commit = () -> {};
  private final LossReport report;
  private int index;
  private long published;
  private long refused;
  private long lost;
  private boolean foundLoss;

  /**
   * @param logEnds per partition, the last seq the own log held when it was fenced
   * @param eventBytesMax longest key, name and value of one change; a larger one is not published
   */
  public Resync(
      StreamInterpreter interpreter,
      Shadow shadow,
      int partitions,
      LocalLog localLog,
      long[] logEnds,
      SentEffects sentEffects,
      ResyncPolicy policy,
      int eventBytesMax) {
    this(
        interpreter,
        shadow,
        partitions,
        localLog,
        logEnds,
        sentEffects,
        policy,
        eventBytesMax,
        Units.CHANGES_MAX);
  }

  Resync(
      StreamInterpreter interpreter,
      Shadow shadow,
      int partitions,
      LocalLog localLog,
      long[] logEnds,
      SentEffects sentEffects,
      ResyncPolicy policy,
      int eventBytesMax,
      int changesPerUnit) {
    this.interpreter = interpreter;
    this.shadow = shadow;
    this.partitions = partitions;
    this.localLog = localLog;
    this.logEnds = logEnds.clone();
    this.sentEffects = sentEffects;
    this.policy = policy;
    this.eventBytesMax = eventBytesMax;
    this.units = new Units(interpreter, changesPerUnit);
    this.report = new LossReport(shadow);
  }

  /**
   * Adds what only the process around knows.
   *
   * @param writtenBefore the last beacon written to Redis before it could have been restarted
   * @param wentBack the beacon that stood when it was next written was behind one written before
   * @param committing makes what has been sealed durable
   */
  public Resync beside(LongSupplier writtenBefore, BooleanSupplier wentBack, Runnable committing) {
    beaconWritten = writtenBefore;
    beaconWentBack = wentBack;
    commit = committing;
    return this;
  }

  /** Whether Redis had come back older or empty. */
  public boolean foundLoss() {
    return foundLoss;
  }

  /** How many elements Redis had lost. */
  public long lost() {
    return lost;
  }

  /** How many differences were published. */
  public long published() {
    return published;
  }

  /** How many were refused because of their size. */
  public long refused() {
    return refused;
  }

  /**
   * Publishes the differences; afterwards the shadow stands at the snapshot's place.
   *
   * @param sameHistory Redis still has the replication id that the shadow's position names: it was
   *     not restarted since, and cannot have lost anything
   * @param lastBeaconMillis the last beacon seen before; 0 if none ever was
   * @param nowMillis the wall clock
   * @throws ResyncRefusedException if Redis holds effects that cannot be told from local writes
   */
  public void run(
      Snapshot snapshot,
      String replId,
      long replOffset,
      boolean sameHistory,
      long lastBeaconMillis,
      long nowMillis) {
    long newestBeacon = Math.max(lastBeaconMillis, beaconWritten.getAsLong());
    String loss = lossOf(snapshot, sameHistory, newestBeacon);
    // All partitions first: if one must be refused, nothing is published.
    List<Plan> plans = new ArrayList<>(partitions);
    for (int partition = 0; partition < partitions && loss == null; partition++) {
      try {
        plans.add(plan(partition, snapshot, sameHistory));
      } catch (UnknownEffectsException e) {
        loss = "partition " + partition + ": " + e.getMessage();
      }
    }
    interpreter.position(replId, Units.NO_POSITION, 0);
    if (loss != null) {
      foundLoss = true;
      plans = plansAfterLoss(snapshot);
      beginRefilling(loss);
    }
    if (lastBeaconMillis == 0 && snapshot.beaconMillis() > 0) {
      interpreter.streamMillis(snapshot.beaconMillis());
    }
    CatchUp catchUp =
        new CatchUp(
            interpreter,
            shadow,
            snapshot,
            localLog,
            (key, change) -> publish(key, change, replOffset),
            units);
    for (Plan plan : plans) {
      catchUp.run(plan);
      adoptMarker(plan);
    }
    if (loss == null) {
      differences(snapshot, replOffset, nowMillis).walk();
    } else {
      tellLosses(snapshot, newestBeacon, replOffset, nowMillis);
      interpreter.streamMillis(snapshot.beaconMillis()); // or the next restart would seem a loss
    }
    interpreter.observe(snapshot.highestStamp());
    interpreter.position(replId, replOffset, 0);
    interpreter.sealUnit(replOffset);
    if (loss != null) {
      commit.run();
    }
    report.publish(interpreter);
  }

  private Differences differences(Snapshot snapshot, long replOffset, long nowMillis) {
    return new Differences(
        shadow,
        snapshot.content(),
        nowMillis,
        new Differences.Receiver() {
          @Override
          public boolean change(RedisKey key, Change change) {
            if (bytes(key, change) > eventBytesMax) {
              refused++;
              return false;
            }
            sealIfFull();
            publish(key, change, replOffset);
            return true;
          }

          @Override
          public void tooLong(Element element) {
            refused++;
          }

          @Override
          public Bytes position(RedisKey key, @Nullable Bytes left, @Nullable Bytes right) {
            return interpreter.listPosition(key, left, right);
          }

          @Override
          public void done() {
            sealIfFull();
          }
        });
  }

  private void publish(RedisKey key, Change change, long replOffset) {
    interpreter.publish(key, change, replOffset, index++);
    units.changed(1);
    published++;
  }

  private void sealIfFull() {
    if (units.isFull()) {
      units.seal();
    }
  }

  private static long bytes(RedisKey key, Change change) {
    long bytes = key.name().length();
    if (change instanceof Change.OfElement element) {
      bytes += element.name().length();
    }
    if (change instanceof Change.StringSet set) {
      bytes += set.value().length();
    } else if (change instanceof Change.HashPut put) {
      bytes += put.value().length();
    } else if (change instanceof Change.ListPut put) {
      bytes += put.value().length();
    }
    return bytes;
  }

  /** What shows that Redis came back older or empty (P8); null if nothing does. */
  private @Nullable String lossOf(Snapshot snapshot, boolean sameHistory, long lastBeaconMillis) {
    byte[] begun = shadow.meta(REFILLING_ROW);
    if (begun != null && begun.length > 0) {
      return "it has not been written back wholly what was lost before ("
          + new String(begun, StandardCharsets.UTF_8)
          + ")";
    }
    if (sameHistory) {
      return null; // it was not restarted
    }
    if (lastBeaconMillis > 0 && snapshot.beaconMillis() < lastBeaconMillis) {
      return snapshot.beaconMillis() == 0
          ? "the beacon that capture had written is gone"
          : "its beacon is "
              + (lastBeaconMillis - snapshot.beaconMillis())
              + " ms older than one that capture has written";
    }
    if (beaconWentBack.getAsBoolean() && !markersShowNothingLost(snapshot)) {
      return "the beacon that stood when it was next written was older than the one before";
    }
    MarkerTracker known = interpreter.markers();
    for (int partition = 0; partition < partitions; partition++) {
      MarkerState found = snapshot.markers().get(partition);
      if (!known.present(partition)) {
        continue;
      }
      if (found == null) {
        return "the marker of partition " + partition + " is gone";
      }
      if (found.fx().compareTo(known.fx(partition)) < 0) {
        return "the marker of partition "
            + partition
            + " stands at effect "
            + found.fx()
            + ", behind "
            + known.fx(partition)
            + " that capture has seen";
      }
    }
    return null;
  }

  /** Each marker stands where capture has seen it, or further on, and at least one was seen. */
  private boolean markersShowNothingLost(Snapshot snapshot) {
    boolean seen = false;
    for (int partition = 0; partition < partitions; partition++) {
      Fx known = interpreter.markers().fx(partition);
      MarkerState found = snapshot.markers().get(partition);
      if (found == null || found.fx().compareTo(known) < 0) {
        return false;
      }
      seen |= !known.isNone();
    }
    return seen;
  }

  /** Remembers, before anything is published, that what differs was lost and not removed. */
  private void beginRefilling(String evidence) {
    log.warn(
        "Redis has been restarted and has lost data: {}. No region deletes what this one lost; it is"
            + " written back.",
        evidence);
    shadow.meta(REFILLING_ROW, evidence.getBytes(StandardCharsets.UTF_8));
    units.seal();
    commit.run();
  }

  /** The shadow will stand where the snapshot does: an older marker is the one to go on from. */
  private List<Plan> plansAfterLoss(Snapshot snapshot) {
    List<Plan> plans = new ArrayList<>(partitions);
    for (int partition = 0; partition < partitions; partition++) {
      plans.add(
          new Plan(
              partition,
              logEnds[partition],
              snapshot.markers().get(partition),
              snapshot.token(partition),
              null));
    }
    return plans;
  }

  private void tellLosses(
      Snapshot snapshot, long lastBeaconMillis, long replOffset, long nowMillis) {
    boolean hasOldBeacon =
        snapshot.beaconMillis() > 0 && snapshot.beaconMillis() < lastBeaconMillis;
    Losses losses =
        new Losses(
            shadow,
            snapshot.markers().isEmpty() && !hasOldBeacon,
            new Losses.Receiver() {
              @Override
              public void lost(Element element) {
                report.add(element);
                units.changed(1);
              }

              @Override
              public void written(RedisKey key, Change change) {
                publish(key, change, replOffset);
              }
            });
    new Differences(
            shadow,
            snapshot.content(),
            nowMillis,
            new Differences.Receiver() {
              @Override
              public boolean change(RedisKey key, Change change) {
                if (units.isFull()) {
                  report.write();
                  units.seal();
                }
                if (change instanceof Change.KeyExpire) {
                  publish(key, change, replOffset); // its time has come, in every region
                } else {
                  losses.difference(key, change);
                }
                return true;
              }

              @Override
              public void tooLong(Element element) {
                report.add(element);
              }

              @Override
              public Bytes position(RedisKey key, @Nullable Bytes left, @Nullable Bytes right) {
                return interpreter.listPosition(key, left, right);
              }

              @Override
              public void done() {
                if (units.isFull()) {
                  report.write();
                  units.seal();
                }
              }
            })
        .walk();
    report.write();
    lost = losses.lost();
    log.info("{} elements are to be written back", lost);
    shadow.meta(REFILLING_ROW, new byte[0]);
  }

  /**
   * Finds what Redis has applied of a partition beyond the shadow; nothing is changed yet.
   *
   * @throws UnknownEffectsException if Redis was restarted and has lost effects
   */
  private Plan plan(int partition, Snapshot snapshot, boolean sameHistory)
      throws UnknownEffectsException {
    MarkerState known = interpreter.markers().state(partition);
    MarkerState found = snapshot.markers().get(partition);
    if (found != null && found.fx().compareTo(known.fx()) < 0) {
      found = null; // nothing was lost: an old one that a SWAPDB has brought back
    }
    String token = snapshot.token(partition);
    long logEnd = logEnds[partition];
    Fx fx = found == null ? shownByLog(partition, known.fx()) : found.fx();
    if (fx.atMost(known.fx())) {
      return new Plan(partition, logEnd, found, token, null);
    }
    Fx after = known.lastEffect();
    Applied applied = null;
    try {
      applied = applied(partition, after, found, fx);
    } catch (UnknownEffectsException e) {
      if (e.lost() && !sameHistory) {
        throw e;
      }
      if (policy == ResyncPolicy.FAIL) {
        throw unknown(partition, after, fx, e);
      }
      log.warn(
          "partition {}: the effects {} to {} are published as local writes where they differ: {}",
          partition,
          after,
          fx,
          e.getMessage());
    }
    return new Plan(partition, logEnd, found, token, applied);
  }

  private @Nullable Applied applied(int partition, Fx after, @Nullable MarkerState found, Fx fx)
      throws UnknownEffectsException {
    Fx through = fx.number() > 0 ? fx : found == null ? Fx.NONE : found.preceding();
    if (through.equals(after)) {
      return null;
    }
    if (through.isNone()) {
      throw new UnknownEffectsException(
          "the marker does not say what was applied before epoch " + fx.epoch());
    }
    if (through.compareTo(after) < 0) {
      throw UnknownEffectsException.lost(
          "the last effect applied is " + through + ", before " + after + " that capture has seen");
    }
    return sentEffects.applied(partition, after, through);
  }

  /** The highest effect that events beyond the shadow had seen: all there is without a marker. */
  private Fx shownByLog(int partition, Fx known) {
    Fx[] highest = {known};
    long derived = interpreter.sequencer().last(partition);
    if (derived < logEnds[partition]) {
      localLog.eventsAfter(
          partition, derived, event -> highest[0] = Fx.max(highest[0], event.fx()));
    }
    return highest[0];
  }

  private static ResyncRefusedException unknown(
      int partition, Fx after, Fx through, UnknownEffectsException why) {
    return new ResyncRefusedException(
        "the snapshot of Redis holds effects after "
            + after
            + " and up to "
            + through
            + " of partition "
            + partition
            + ", which capture has not seen in the stream, and "
            + why.getMessage()
            + ": they cannot be told from local writes. Nothing is published. If the records of the"
            + " topic sent-effects.<region> can be restored, do that and start capture again. Else"
            + " start it once with policies.resync: publish-differences; every difference is then"
            + " published as a write of this region, and what other regions added meanwhile may be"
            + " counted twice.");
  }

  /**
   * What had been seen stays claimed, though an owner may have gone on with an older marker. Its
   * exceptions are those that an owner will end; others would hold stability back for ever.
   */
  private MarkerState atLeastKnown(int partition, MarkerState found) {
    VersionVector known = interpreter.markers().context(partition);
    return found.context().dominates(known)
        ? found
        : new MarkerState(
            found.epoch(),
            found.fx(),
            found.preceding(),
            found.context().join(known),
            found.exceptions());
  }

  private void adoptMarker(Plan plan) {
    MarkerState found = plan.found();
    if (found == null) {
      interpreter.markerLost(plan.partition(), plan.token());
    } else {
      // In one unit with the effects just folded: a crash must not fold them twice.
      interpreter.markers().restore(plan.partition(), atLeastKnown(plan.partition(), found));
      if (!plan.token().isEmpty()) {
        interpreter.markerLost(plan.partition(), plan.token()); // an owner took it for none
      }
    }
    units.seal();
  }
}
