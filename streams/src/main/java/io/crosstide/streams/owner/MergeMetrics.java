package io.crosstide.streams.owner;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The catalogue of this module's metrics; each is tagged with the region. */
public final class MergeMetrics {
  /** Events merged, by {@code origin}: the region that wrote them, the own one included. */
  public static final String EVENTS = "crosstide.streams.events";

  /** Effects planned for remote events. */
  public static final String EFFECTS = "crosstide.streams.effects";

  /** Records that had been received before, by another path or sending. */
  public static final String DUPLICATES = "crosstide.streams.duplicates";

  /** Records of a capture that has been replaced (P16). */
  public static final String FENCED = "crosstide.streams.fenced";

  /** Effects that did not pass their guard. */
  public static final String MISSES = "crosstide.streams.misses";

  /** Elements that Redis was asked for. */
  public static final String PROBES = "crosstide.streams.probes";

  /** Concurrent writes of which one is not to be seen. */
  public static final String CONFLICTS = "crosstide.streams.conflicts";

  /** Merged values that Redis refuses for good (P26). */
  public static final String UNREPRESENTABLE = "crosstide.streams.unrepresentable";

  /** Calls that Redis refused whole. */
  public static final String REFUSED = "crosstide.streams.refused";

  /** Records that are no event and were skipped, as the configuration allows. */
  public static final String MALFORMED = "crosstide.streams.malformed";

  /** Times an owner went back to holding records because Redis did not take effects. */
  public static final String STALLS = "crosstide.streams.stalls";

  /** From a remote write's stamp until its effects are in this Redis, by {@code origin}. */
  public static final String VISIBLE_LAG = "crosstide.streams.visible.lag";

  /** Over what time percentiles of the lag are taken. */
  private static final Duration LAG_WINDOW = Duration.ofSeconds(10);

  private final MeterRegistry meters;
  private final Tags tags;
  private final Map<Integer, String> regionNames;
  private final Map<Integer, Counter> events = new ConcurrentHashMap<>();
  private final Map<Integer, Timer> lags = new ConcurrentHashMap<>();
  final Counter effects;
  final Counter duplicates;
  final Counter fenced;
  final Counter misses;
  final Counter probes;
  final Counter conflicts;
  final Counter unrepresentable;
  final Counter refused;
  private final Counter malformed;
  final Counter stalls;

  /**
   * @param regionNames by id, of all regions
   */
  public MergeMetrics(MeterRegistry meters, String region, Map<Integer, String> regionNames) {
    this.meters = meters;
    this.tags = Tags.of("region", region);
    this.regionNames = Map.copyOf(regionNames);
    effects = meters.counter(EFFECTS, tags);
    duplicates = meters.counter(DUPLICATES, tags);
    fenced = meters.counter(FENCED, tags);
    misses = meters.counter(MISSES, tags);
    probes = meters.counter(PROBES, tags);
    conflicts = meters.counter(CONFLICTS, tags);
    unrepresentable = meters.counter(UNREPRESENTABLE, tags);
    refused = meters.counter(REFUSED, tags);
    malformed = meters.counter(MALFORMED, tags);
    stalls = meters.counter(STALLS, tags);
    regionNames.keySet().forEach(this::events);
  }

  /** A record that is no event was skipped. */
  public void countMalformed() {
    malformed.increment();
  }

  /** Everything counted so far. */
  public MergeCounts counts() {
    Map<String, MergeCounts.OfOrigin> origins = new java.util.TreeMap<>();
    events.forEach(
        (id, counter) -> {
          double p50 = 0;
          double p99 = 0;
          long samples = 0;
          Timer lag = lags.get(id);
          if (lag != null) {
            var snapshot = lag.takeSnapshot();
            samples = snapshot.count();
            for (var value : snapshot.percentileValues()) {
              if (value.percentile() == 0.5) {
                p50 = value.value(TimeUnit.MILLISECONDS);
              } else {
                p99 = value.value(TimeUnit.MILLISECONDS);
              }
            }
          }
          origins.put(
              regionName(id), new MergeCounts.OfOrigin((long) counter.count(), samples, p50, p99));
        });
    return new MergeCounts(
        origins,
        (long) effects.count(),
        (long) duplicates.count(),
        (long) fenced.count(),
        (long) misses.count(),
        (long) probes.count(),
        (long) conflicts.count(),
        (long) unrepresentable.count(),
        (long) refused.count(),
        (long) malformed.count(),
        (long) stalls.count());
  }

  Counter events(int regionId) {
    return events.computeIfAbsent(
        regionId, id -> meters.counter(EVENTS, tags.and("origin", regionName(id))));
  }

  Timer lag(int regionId) {
    return lags.computeIfAbsent(
        regionId,
        id ->
            Timer.builder(VISIBLE_LAG)
                .tags(tags.and("origin", regionName(id)))
                .publishPercentiles(0.5, 0.99)
                .distributionStatisticExpiry(LAG_WINDOW)
                .register(meters));
  }

  private String regionName(int id) {
    return regionNames.getOrDefault(id, "region " + id);
  }
}
