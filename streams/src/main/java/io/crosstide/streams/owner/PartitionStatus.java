package io.crosstide.streams.owner;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.merge.PartitionMerger;

/**
 * Where the owner of one partition stood a moment ago.
 *
 * @param epoch under which it writes to Redis
 * @param received per origin the last seq read in order
 * @param merged per origin the last seq merged; lower than received while records are held
 * @param applied per origin the last seq that the marker in Redis claims; the own origin has no
 *     entry
 * @param stable what every region has seen
 * @param held records received and not merged yet
 * @param tracked elements that Redis may hold differently from their merged value
 * @param backlog effects planned and not acknowledged by Redis
 * @param settled everything received is merged, acknowledged, and believed to be in Redis
 */
public record PartitionStatus(
    int partition,
    PartitionMerger.Phase phase,
    int epoch,
    VersionVector received,
    VersionVector merged,
    VersionVector applied,
    VersionVector stable,
    long held,
    int tracked,
    int backlog,
    boolean settled) {

  static PartitionStatus of(int partition, PartitionMerger merger, VersionVector applied) {
    VersionVector received = merger.received();
    VersionVector merged = merger.merged();
    long held = 0;
    for (int i = 0; i < received.size(); i++) {
      held += received.seqAt(i) - merged.get(received.packedOriginAt(i));
    }
    return new PartitionStatus(
        partition,
        merger.phase(),
        merger.epoch(),
        received,
        merged,
        applied,
        merger.stable(),
        held,
        merger.tracked(),
        merger.backlog(),
        merger.isSettled());
  }
}
