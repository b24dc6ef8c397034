package io.crosstide.protocol.merge;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import java.util.Set;

/**
 * Settings of a {@link PartitionMerger}.
 *
 * @param partition whose logs it merges
 * @param local writer of the local log
 * @param members ids of all regions, the local one included; a region that is missing here does not
 *     hold stability back
 * @param batchEffectsMax effects per Lua call; one call of 128 blocks Redis for about 0.4 ms. The
 *     effects of one event are never split
 * @param batchBytesMax bytes of values per Lua call; one event may exceed it
 * @param batchesInFlightMax calls sent without having been answered
 * @param refusalPauseMillisMax longest pause before a refused call is repeated
 * @param drainPerCall held records processed per call, so that the caller gets a turn
 * @param spill which increments lie in rows of their own; may change between owners
 */
public record MergerConfig(
    int partition,
    Origin local,
    Set<Integer> members,
    int batchEffectsMax,
    long batchBytesMax,
    int batchesInFlightMax,
    long refusalPauseMillisMax,
    int drainPerCall,
    SpillRule spill) {

  public MergerConfig {
    members = Set.copyOf(members);
  }

  public static MergerConfig of(int partition, Origin local, Set<Integer> members) {
    return new MergerConfig(
        partition, local, members, 128, 4 << 20, 4, 500, 1000, SpillRule.DEFAULT);
  }
}
