package io.crosstide.streams.owner;

import io.crosstide.crdt.Origin;
import io.crosstide.protocol.merge.EventCodec;
import io.crosstide.streams.topics.LogEnds;
import java.time.Clock;
import java.util.Set;

/**
 * What all owners of one region share.
 *
 * @param local writer of the region's own log
 * @param members ids of all regions
 * @param opener of connections to the region's Redis
 * @param codec for records that wait in rows
 * @param logEnds where the own log ends
 * @param clock for the lag of applied events
 * @param backlogEffectsMax effects planned and not acknowledged above which no more records are
 *     taken. Too low: Redis idles between answers. Too high: memory, and a longer way back after a
 *     stall
 * @param backlogBytesMax the same in bytes of values
 * @param stallMillis for how long Redis may acknowledge nothing while the backlog is full before
 *     records are held on disk instead
 */
public record OwnerSettings(
    Origin local,
    Set<Integer> members,
    OwnerWire.Opener opener,
    EventCodec codec,
    LogEnds logEnds,
    MergeMetrics metrics,
    Clock clock,
    int backlogEffectsMax,
    long backlogBytesMax,
    long stallMillis) {
  public static final int BACKLOG_EFFECTS_MAX = 20_000;
  public static final long BACKLOG_BYTES_MAX = 64L << 20;
  public static final long STALL_MILLIS = 5_000;

  public OwnerSettings {
    members = Set.copyOf(members);
  }
}
