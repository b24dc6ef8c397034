package io.crosstide.capture.rdb;

import io.crosstide.capture.command.MarkerTracker;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.rdb.CatchUp.Plan;
import io.crosstide.capture.rdb.SentEffects.Applied;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the shadow to what a snapshot shows and publishes what clients of this region did
 * meanwhile, and only that (P7): per element, the shadow with the own log's events and the effects
 * up to the snapshot's marker folded in is what was expected; what differs from it was written
 * locally.
 *
 * <p>Differences carry the snapshot's markers, and the last time known before the cut. A process
 * that dies midway has a shadow that holds what Kafka has acknowledged of them, and no position:
 * the next start takes another snapshot and finds the rest.
 */
public final class Resync {
  private static final Logger log = LoggerFactory.getLogger(Resync.class);

  private final StreamInterpreter interpreter;
  private final Shadow shadow;
  private final int partitions;
  private final LocalLog localLog;
  private final long[] logEnds;
  private final SentEffects sentEffects;
  private final ResyncPolicy policy;
  private final int eventBytesMax;
  private final Units units;
  private int index;
  private long published;
  private long refused;

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
   * @throws ResyncRefusedException if Redis lost data, or holds effects that cannot be told from
   *     local writes
   */
  public void run(
      Snapshot snapshot,
      String replId,
      long replOffset,
      boolean sameHistory,
      long lastBeaconMillis,
      long nowMillis) {
    if (!sameHistory) {
      checkNothingLost(snapshot, lastBeaconMillis);
    }
    // All partitions first: if one must be refused, nothing is published.
    List<Plan> plans = new ArrayList<>(partitions);
    for (int partition = 0; partition < partitions; partition++) {
      plans.add(plan(partition, snapshot, sameHistory));
    }
    interpreter.position(replId, Units.NO_POSITION, 0);
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
    differences(snapshot, replOffset, nowMillis).walk();
    interpreter.observe(snapshot.highestStamp());
    interpreter.position(replId, replOffset, 0);
    interpreter.sealUnit(replOffset);
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
          public void tooLong(RedisKey key) {
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

  /** A Redis that came back older or empty must not empty the world (P8). */
  private void checkNothingLost(Snapshot snapshot, long lastBeaconMillis) {
    if (lastBeaconMillis > 0 && snapshot.beaconMillis() < lastBeaconMillis) {
      throw lostData(
          snapshot.beaconMillis() == 0
              ? "the beacon that capture had written is gone"
              : "its beacon is "
                  + (lastBeaconMillis - snapshot.beaconMillis())
                  + " ms older than one that capture has read");
    }
    MarkerTracker known = interpreter.markers();
    for (int partition = 0; partition < partitions; partition++) {
      MarkerState found = snapshot.markers().get(partition);
      if (!known.present(partition)) {
        continue;
      }
      if (found == null) {
        throw lostData("the marker of partition " + partition + " is gone");
      }
      if (found.fx().compareTo(known.fx(partition)) < 0) {
        throw lostData(
            "the marker of partition "
                + partition
                + " stands at effect "
                + found.fx()
                + ", behind "
                + known.fx(partition)
                + " that capture has seen");
      }
    }
  }

  private static ResyncRefusedException lostData(String evidence) {
    return new ResyncRefusedException(
        "Redis has been restarted and has lost data: "
            + evidence
            + ". Nothing is published, so that no region deletes what this one lost. Restore a newer"
            + " RDB or AOF, or let the region be rebuilt from the log, then start capture again.");
  }

  /** Finds what Redis has applied of a partition beyond the shadow; nothing is changed yet. */
  private Plan plan(int partition, Snapshot snapshot, boolean sameHistory) {
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
        throw lostData("partition " + partition + ": " + e.getMessage());
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

  private void adoptMarker(Plan plan) {
    MarkerState found = plan.found();
    if (found == null) {
      interpreter.markerLost(plan.partition(), plan.token());
    } else {
      // In one unit with the effects just folded: a crash must not fold them twice.
      interpreter.markers().restore(plan.partition(), found);
    }
    units.seal();
  }
}
