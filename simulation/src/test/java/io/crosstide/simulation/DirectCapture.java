package io.crosstide.simulation;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.MarkerState;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * A capture without commands, shadow and crashes: publishes what happened in the order in which it
 * happened. Cheap, for the many schedules that are about merging.
 */
final class DirectCapture implements CaptureStage {
  private final Origin origin;
  private final SimRedis redis;
  private final Witness witness;
  private final Consumer<ChangeEvent> log;
  private final boolean losesNews;
  private MarkerState marker = MarkerState.initial(0);
  private HybridTimestamp lastStamp = HybridTimestamp.ZERO;
  private int read;
  private int published;

  DirectCapture(
      Origin origin,
      SimRedis redis,
      Witness witness,
      Consumer<ChangeEvent> log,
      boolean losesNews) {
    this.origin = origin;
    this.redis = redis;
    this.witness = witness;
    this.log = log;
    this.losesNews = losesNews;
    redis.stream.add(new SimRedis.MarkerGone("")); // there is none at the first start
  }

  @Override
  public boolean isIdle() {
    return read == redis.stream.size();
  }

  @Override
  public void step(Random random) {
    if (isIdle()) {
      return;
    }
    SimRedis.Item item = redis.stream.get(read++);
    if (item instanceof SimRedis.Changes changes) {
      for (int i = 0; i < changes.changes().size(); i++) {
        ChangeEvent event = witness.happened().get(published++);
        lastStamp = event.stamp();
        log.accept(event);
      }
    } else if (item instanceof SimRedis.Marker passed) {
      marker = Witness.follow(marker, passed.marker());
      for (Change.ListHolds news : passed.news()) {
        if (!losesNews || passed.heldProbe()) {
          log.accept(control(news, VersionVector.EMPTY, Map.of()));
        }
      }
      if (passed.heldProbe() || random.nextInt(4) == 0) {
        beat();
      }
    } else if (item instanceof SimRedis.MarkerGone gone) {
      log.accept(
          control(
              new Change.MarkerLost(gone.token(), marker.preceding()),
              marker.context(),
              marker.exceptions()));
    }
  }

  @Override
  public void beat() {
    VersionVector floor = marker.context();
    for (MarkerState.Missed missed : marker.exceptions().values()) {
      floor = floor.meet(missed.context());
    }
    log.accept(control(new Change.Beat(floor), VersionVector.EMPTY, Map.of()));
  }

  private ChangeEvent control(
      Change.Control change, VersionVector context, Map<String, MarkerState.Missed> exceptions) {
    return new ChangeEvent(
        origin,
        published,
        published,
        1,
        lastStamp,
        context,
        exceptions,
        marker.fx(),
        null,
        change,
        ChangeEvent.StreamPosition.UNKNOWN,
        null);
  }
}
