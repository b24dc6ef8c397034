package io.crosstide.capture.rdb;

import io.crosstide.capture.command.MarkerTracker;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import org.jspecify.annotations.Nullable;

/**
 * Brings the shadow to what a snapshot shows and publishes what clients of this region did
 * meanwhile, and only that (P7): per element, the shadow with the effects in (shadow's fx,
 * snapshot's fx] applied is what was expected; what differs from it was written locally.
 *
 * <p>Differences carry the snapshot's markers, and the last time known before the cut. A process
 * that dies midway has a shadow that holds what Kafka has acknowledged of them, and no position:
 * the next start takes another snapshot and finds the rest.
 */
public final class Resync {
  /** Changes per unit of the shadow: bounds what is held back for Kafka's acknowledgement. */
  private static final int CHANGES_PER_UNIT = 500;

  /** Position of the shadow's units while it corresponds to no place in the stream. */
  private static final long NO_POSITION = -1;

  private final StreamInterpreter interpreter;
  private final Shadow shadow;
  private final int partitions;
  private final SentEffects sentEffects;
  private final ResyncPolicy policy;
  private final int eventBytesMax;
  private int changesInUnit;
  private int index;
  private long published;
  private long refused;

  /**
   * @param eventBytesMax longest key, name and value of one change; a larger one is not published
   */
  public Resync(
      StreamInterpreter interpreter,
      Shadow shadow,
      int partitions,
      SentEffects sentEffects,
      ResyncPolicy policy,
      int eventBytesMax) {
    this.interpreter = interpreter;
    this.shadow = shadow;
    this.partitions = partitions;
    this.sentEffects = sentEffects;
    this.policy = policy;
    this.eventBytesMax = eventBytesMax;
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
    interpreter.position(replId, NO_POSITION, 0);
    if (lastBeaconMillis == 0 && snapshot.beaconMillis() > 0) {
      interpreter.streamMillis(snapshot.beaconMillis());
    }
    for (int partition = 0; partition < partitions; partition++) {
      adoptMarker(partition, snapshot.markers().get(partition));
    }
    new Differences(
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
                if (changesInUnit >= CHANGES_PER_UNIT) {
                  seal();
                }
                interpreter.publish(key, change, replOffset, index++);
                changesInUnit++;
                published++;
                return true;
              }

              @Override
              public void done() {
                if (changesInUnit >= CHANGES_PER_UNIT) {
                  seal();
                }
              }
            })
        .walk();
    interpreter.position(replId, replOffset, 0);
    interpreter.sealUnit(replOffset);
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
    }
    return bytes;
  }

  private void seal() {
    interpreter.sealUnit(NO_POSITION);
    changesInUnit = 0;
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

  private void adoptMarker(int partition, @Nullable MarkerState found) {
    MarkerTracker known = interpreter.markers();
    if (found == null) {
      interpreter.markerLost(partition);
      interpreter.sealUnit(NO_POSITION);
      return;
    }
    Fx after = known.fx(partition);
    if (after.compareTo(found.fx()) < 0) {
      expectEffects(partition, after, found.fx());
    }
    // In one unit with the effects just folded: a crash must not fold them twice.
    known.restore(partition, found);
    interpreter.sealUnit(NO_POSITION);
  }

  private void expectEffects(int partition, Fx after, Fx through) {
    boolean known =
        sentEffects.between(
            partition,
            after,
            through,
            effect -> {
              Element element = effect.element();
              if (element != null) {
                RedisKey key = element.key();
                ShadowFold.apply(shadow.key(key.db(), key.name()), effect);
              }
            });
    if (!known && policy == ResyncPolicy.FAIL) {
      throw new ResyncRefusedException(
          "the snapshot of Redis holds effects "
              + after
              + " to "
              + through
              + " of partition "
              + partition
              + ", which capture has not seen in the stream and which nobody remembers sending, so"
              + " they cannot be told from local writes. Nothing is published. Set resync:"
              + " publish-differences to publish every difference as a local write.");
    }
  }
}
