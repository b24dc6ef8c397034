package io.crosstide.streams;

import io.crosstide.streams.owner.MergeCounts;
import io.crosstide.streams.owner.PartitionStatus;
import java.util.List;

/**
 * A streams role at one moment.
 *
 * @param detail a sentence, empty if there is nothing to add
 * @param counts since the role was made
 * @param partitions that this process owns now, by number, each as it was at most some 50 ms ago
 */
public record StreamsStats(
    String region,
    StreamsState state,
    String detail,
    MergeCounts counts,
    List<PartitionStatus> partitions) {

  public StreamsStats {
    partitions = List.copyOf(partitions);
  }

  /** Every one of {@code count} partitions is owned here and settled. */
  public boolean isSettled(int count) {
    return state == StreamsState.RUNNING
        && partitions.size() == count
        && partitions.stream().allMatch(PartitionStatus::settled);
  }

  /** Effects planned and not acknowledged by Redis. */
  public long backlog() {
    return partitions.stream().mapToLong(PartitionStatus::backlog).sum();
  }

  /** Elements that Redis may hold differently from their merged value. */
  public long tracked() {
    return partitions.stream().mapToLong(PartitionStatus::tracked).sum();
  }

  /** Records received and not merged yet. */
  public long held() {
    return partitions.stream().mapToLong(PartitionStatus::held).sum();
  }
}
