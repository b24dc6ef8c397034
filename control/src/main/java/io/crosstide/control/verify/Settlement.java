package io.crosstide.control.verify;

import io.crosstide.control.redis.RedisInfo;
import io.crosstide.control.redis.RedisMarkers;
import io.crosstide.crdt.VersionVector;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Decides when everything published is applied everywhere. In order, each step taken after the one
 * before held:
 *
 * <ol>
 *   <li><b>Captured.</b> Every region's {@code master_repl_offset} is read; the step holds once
 *       capture's durable offset has reached it. From then on every write acknowledged before the
 *       reading is in its region's log.
 *   <li><b>Published.</b> The end of every region's log is read: the goal.
 *   <li><b>Merged.</b> Every region's merged state has processed the goal of every log, its own
 *       included.
 *   <li><b>Applied.</b> Every region's markers cover the goal of every other log, and have no
 *       exceptions (P9): Redis holds the effects of all those events.
 * </ol>
 *
 * A write made meanwhile may move Redis beyond the goal; the comparison looks again at what
 * differs.
 */
final class Settlement {
  private final List<VerifiedRegion> regions;
  private final int partitions;

  /** The goal: by region, per partition, the end of its log. Empty until published. */
  private Map<String, List<VersionVector>> goal = Map.of();

  private Map<String, Long> offsets = Map.of();

  Settlement(List<VerifiedRegion> regions, int partitions) {
    this.regions = regions;
    this.partitions = partitions;
  }

  /** Begins anew: what is written from now on counts too. */
  void restart() {
    goal = Map.of();
    offsets = Map.of();
  }

  /** By region, per partition: where the logs ended when this settlement's goal was set. */
  Map<String, List<VersionVector>> goal() {
    return goal;
  }

  /**
   * What is still awaited, as a sentence; null once everything has been reached.
   *
   * @throws IOException if something cannot be asked now
   */
  @Nullable String awaited() throws IOException {
    if (goal.isEmpty()) {
      String capture = awaitedCapture();
      if (capture != null) {
        return capture;
      }
      goal = readLogEnds();
    }
    String merge = awaitedMerge();
    return merge != null ? merge : awaitedMarkers();
  }

  /** The present ends of all logs. */
  Map<String, List<VersionVector>> readLogEnds() throws IOException {
    Map<String, List<VersionVector>> ends = new LinkedHashMap<>();
    for (VerifiedRegion region : regions) {
      ends.put(region.name(), region.logEnds());
    }
    return ends;
  }

  private @Nullable String awaitedCapture() throws IOException {
    if (offsets.isEmpty()) {
      Map<String, Long> read = new LinkedHashMap<>();
      for (VerifiedRegion region : regions) {
        read.put(
            region.name(),
            RedisInfo.of(region.redis(), "replication").number("master_repl_offset"));
      }
      offsets = read;
    }
    for (VerifiedRegion region : regions) {
      OptionalLong captured = region.capturedOffset();
      long needed = offsets.getOrDefault(region.name(), 0L);
      if (captured.isEmpty()) {
        return "capture of " + region.name() + " does not say how far it is";
      }
      if (captured.getAsLong() < needed) {
        return "capture of "
            + region.name()
            + " is "
            + (needed - captured.getAsLong())
            + " bytes behind its Redis";
      }
    }
    return null;
  }

  private @Nullable String awaitedMerge() throws IOException {
    for (VerifiedRegion region : regions) {
      MergedImages merged = region.merged();
      for (int partition = 0; merged != null && partition < partitions; partition++) {
        VersionVector missing = goalOf(partition, "").beyond(merged.position(partition));
        if (!missing.isEmpty()) {
          return "the merged state of "
              + region.name()
              + " has not reached "
              + missing
              + " in partition "
              + partition;
        }
      }
    }
    return null;
  }

  private @Nullable String awaitedMarkers() throws IOException {
    for (VerifiedRegion region : regions) {
      List<RedisMarkers.@Nullable Progress> markers =
          new ArrayList<>(RedisMarkers.read(region.redis(), partitions));
      for (int partition = 0; partition < partitions; partition++) {
        VersionVector needed = goalOf(partition, region.name());
        RedisMarkers.Progress marker = markers.get(partition);
        if (marker == null) {
          if (!needed.isEmpty()) {
            return "Redis of " + region.name() + " has no marker for partition " + partition;
          }
          continue;
        }
        VersionVector missing = needed.beyond(marker.context());
        if (!missing.isEmpty()) {
          return "Redis of "
              + region.name()
              + " has not received "
              + missing
              + " in partition "
              + partition;
        }
        if (marker.exceptions() > 0) {
          return "Redis of "
              + region.name()
              + " has "
              + marker.exceptions()
              + " elements in partition "
              + partition
              + " whose last effects missed";
        }
      }
    }
    return null;
  }

  /** The ends of all logs of one partition, but that of {@code exceptRegion}. */
  private VersionVector goalOf(int partition, String exceptRegion) {
    VersionVector all = VersionVector.EMPTY;
    for (Map.Entry<String, List<VersionVector>> log : goal.entrySet()) {
      if (!log.getKey().equals(exceptRegion)) {
        all = all.join(log.getValue().get(partition));
      }
    }
    return all;
  }
}
