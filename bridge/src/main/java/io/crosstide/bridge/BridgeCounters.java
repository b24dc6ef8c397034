package io.crosstide.bridge;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToDoubleFunction;

/**
 * A bridge's counters, kept over its sessions, and their names as metrics.
 *
 * <pre>
 * crosstide.bridge.events     acknowledged by the target
 * crosstide.bridge.bytes      the same, uncompressed
 * crosstide.bridge.wire.bytes sent, compressed, framing and retries included
 * crosstide.bridge.fenced     left out: written by a capture already replaced
 * crosstide.bridge.restarts   copying taken up again after an error
 * crosstide.bridge.backlog    events the target has not acknowledged
 * crosstide.bridge.lag.millis{quantile=0.5|0.99}  age of events when acknowledged
 * crosstide.bridge.oldest.millis  age of the oldest event awaiting acknowledgement
 * </pre>
 */
final class BridgeCounters {
  final LongAdder events = new LongAdder();
  final LongAdder bytes = new LongAdder();
  final LongAdder fenced = new LongAdder();
  final LongAdder wireBytesOfPast = new LongAdder();
  final LongAdder restarts = new LongAdder();
  final LagWindow lag = new LagWindow(System::nanoTime);

  void register(MeterRegistry registry, Bridge bridge, BridgeConfig config) {
    Tags tags = Tags.of("source", config.source(), "target", config.target());
    counter(registry, "crosstide.bridge.events", tags, bridge, b -> b.snapshot().events());
    counter(registry, "crosstide.bridge.bytes", tags, bridge, b -> b.snapshot().bytes());
    counter(registry, "crosstide.bridge.wire.bytes", tags, bridge, b -> b.snapshot().wireBytes());
    counter(registry, "crosstide.bridge.fenced", tags, bridge, b -> b.snapshot().fencedEvents());
    counter(registry, "crosstide.bridge.restarts", tags, bridge, b -> b.snapshot().restarts());
    Gauge.builder("crosstide.bridge.backlog", bridge, b -> b.snapshot().backlogEvents())
        .tags(tags)
        .register(registry);
    Gauge.builder("crosstide.bridge.oldest.millis", bridge, b -> b.snapshot().lagMillis())
        .tags(tags)
        .register(registry);
    Gauge.builder("crosstide.bridge.lag.millis", lag, l -> l.quantile(0.5))
        .tags(tags.and("quantile", "0.5"))
        .register(registry);
    Gauge.builder("crosstide.bridge.lag.millis", lag, l -> l.quantile(0.99))
        .tags(tags.and("quantile", "0.99"))
        .register(registry);
  }

  private static void counter(
      MeterRegistry registry, String name, Tags tags, Bridge bridge, ToDoubleFunction<Bridge> f) {
    FunctionCounter.builder(name, bridge, f).tags(tags).register(registry);
  }
}
