package io.crosstide.apply;

import io.crosstide.protocol.BatchReply;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The catalogue of this module's metrics; each is tagged with the region. */
public final class ApplyMetrics {
  /** Batches answered, by {@code outcome}. */
  public static final String BATCHES = "crosstide.apply.batches";

  /** Effects in batches answered as applied, misses included. */
  public static final String EFFECTS = "crosstide.apply.effects";

  /** Effects whose guard failed, by {@code reason}: guard, exception or error. */
  public static final String MISSES = "crosstide.apply.misses";

  /** Probes answered. */
  public static final String PROBES = "crosstide.apply.probes";

  /** Calls that Redis refused whole, by {@code code}: OOM, BUSY, LOADING and so on. */
  public static final String REFUSALS = "crosstide.apply.refusals";

  /** From the dispatch of a batch to its reply, the wait behind the batch before it included. */
  public static final String REPLY_LATENCY = "crosstide.apply.reply.latency";

  /** Connections opened, the first one included. */
  public static final String CONNECTS = "crosstide.apply.connects";

  /** Connections lost or given up. */
  public static final String DISCONNECTS = "crosstide.apply.disconnects";

  private final MeterRegistry registry;
  private final Tags tags;
  private final Map<BatchReply.Outcome, Counter> batches = new EnumMap<>(BatchReply.Outcome.class);
  private final Counter effects;
  private final Counter probes;
  private final Counter missesByGuard;
  private final Counter missesByException;
  private final Counter missesByError;
  private final Counter connects;
  private final Counter disconnects;
  private final Timer replyLatency;

  public ApplyMetrics(MeterRegistry registry, String region) {
    this.registry = registry;
    this.tags = Tags.of("region", region);
    for (BatchReply.Outcome outcome : BatchReply.Outcome.values()) {
      batches.put(
          outcome,
          registry.counter(BATCHES, tags.and("outcome", outcome.name().toLowerCase(Locale.ROOT))));
    }
    effects = registry.counter(EFFECTS, tags);
    probes = registry.counter(PROBES, tags);
    missesByGuard = registry.counter(MISSES, tags.and("reason", "guard"));
    missesByException = registry.counter(MISSES, tags.and("reason", "exception"));
    missesByError = registry.counter(MISSES, tags.and("reason", "error"));
    connects = registry.counter(CONNECTS, tags);
    disconnects = registry.counter(DISCONNECTS, tags);
    replyLatency =
        Timer.builder(REPLY_LATENCY).tags(tags).publishPercentiles(0.5, 0.99).register(registry);
  }

  void replied(int size, BatchReply reply, long latencyNanos) {
    replyLatency.record(latencyNanos, TimeUnit.NANOSECONDS);
    Counter counter = batches.get(reply.outcome());
    if (counter != null) {
      counter.increment();
    }
    if (reply.outcome() != BatchReply.Outcome.APPLIED) {
      return;
    }
    effects.increment(size);
    for (BatchReply.Miss miss : reply.misses()) {
      switch (miss.reason()) {
        case "guard" -> missesByGuard.increment();
        case "exception" -> missesByException.increment();
        default -> missesByError.increment();
      }
    }
    probes.increment(reply.answers().size());
  }

  void refused(String error) {
    registry.counter(REFUSALS, tags.and("code", RedisRefusal.code(error))).increment();
  }

  void connected() {
    connects.increment();
  }

  void disconnected() {
    disconnects.increment();
  }
}
