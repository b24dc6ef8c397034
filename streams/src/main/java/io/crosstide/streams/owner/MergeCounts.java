package io.crosstide.streams.owner;

import java.util.Map;

/**
 * What the merge of one region has done since it started; the meanings are those of {@link
 * MergeMetrics}.
 *
 * @param origins by name of the region that wrote the events
 */
public record MergeCounts(
    Map<String, OfOrigin> origins,
    long effects,
    long duplicates,
    long fenced,
    long misses,
    long probes,
    long conflicts,
    long unrepresentable,
    long refused,
    long malformed,
    long stalls) {

  public MergeCounts {
    origins = Map.copyOf(origins);
  }

  /**
   * Events of one region's log.
   *
   * @param events merged
   * @param applied how many of them are known to be in this Redis; fewer than events, as not every
   *     one is measured
   * @param lagMillisP50 from the write to its effects in this Redis, median of the last seconds; 0
   *     without events
   */
  public record OfOrigin(long events, long applied, double lagMillisP50, double lagMillisP99) {}

  /** Events of all regions' logs merged. */
  public long events() {
    return origins.values().stream().mapToLong(OfOrigin::events).sum();
  }
}
