package io.crosstide.capture;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The catalogue of what capture measures: name, unit, sentence and source of each meter, once. All
 * carry the tag {@code region}. Values are read when the registry is, never on the hot path.
 */
public enum CaptureMetrics {
  COMMANDS("crosstide.capture.commands", "Commands read off the replication stream", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.commands();
    }
  },
  EVENTS("crosstide.capture.events", "Events of local writes given to Kafka", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.eventsCaptured();
    }
  },
  CONTROL_EVENTS(
      "crosstide.capture.control.events", "Beats and lost markers given to Kafka", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.controlEvents();
    }
  },
  ACKNOWLEDGED("crosstide.capture.acknowledged", "Records that Kafka has acknowledged", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.acknowledged();
    }
  },
  MARKERS("crosstide.capture.markers", "Effect batches recognised in the stream", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.markersSeen();
    }
  },
  ECHOES("crosstide.capture.echoes", "Commands recognised as effects and not published", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.echoes();
    }
  },
  UNSUPPORTED(
      "crosstide.capture.unsupported", "Writes and keys that do not reach other regions", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.unsupported().values().stream().mapToLong(Long::longValue).sum();
    }
  },
  FULL_RESYNCS("crosstide.capture.full.resyncs", "Snapshots read", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.fullResyncs();
    }
  },
  RECONNECTS("crosstide.capture.reconnects", "Connections to Redis made again", true) {
    @Override
    double of(CaptureStats stats) {
      return stats.reconnects();
    }
  },
  READ_OFFSET("crosstide.capture.read.offset", "replOffset read, bytes", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.readOffset();
    }
  },
  DURABLE_OFFSET(
      "crosstide.capture.durable.offset", "replOffset up to which all is in Kafka, bytes", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.durableOffset();
    }
  },
  LAG_BYTES("crosstide.capture.lag.bytes", "Stream bytes read and not yet in Kafka", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.lagBytes();
    }
  },
  LAG_MILLIS("crosstide.capture.lag.millis", "Age of the last beacon read, milliseconds", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.lagMillis();
    }
  },
  IN_FLIGHT_RECORDS(
      "crosstide.capture.in.flight.records", "Records sent and not acknowledged", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.inFlightRecords();
    }
  },
  IN_FLIGHT_BYTES("crosstide.capture.in.flight.bytes", "Bytes sent and not acknowledged", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.inFlightBytes();
    }
  },
  CLOCK_SKEW(
      "crosstide.capture.clock.skew.millis",
      "How far the last stamp received was ahead of the wall clock, milliseconds",
      false) {
    @Override
    double of(CaptureStats stats) {
      return stats.clockSkewMillis();
    }
  },
  UP("crosstide.capture.up", "1 while following the stream, else 0", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.state() == CaptureState.STREAMING ? 1 : 0;
    }
  },
  FAILED("crosstide.capture.failed", "1 when capture has given up, else 0", false) {
    @Override
    double of(CaptureStats stats) {
      return stats.state() == CaptureState.FAILED ? 1 : 0;
    }
  };

  private final String meterName;
  private final String description;
  private final boolean counter;

  CaptureMetrics(String meterName, String description, boolean counter) {
    this.meterName = meterName;
    this.description = description;
    this.counter = counter;
  }

  abstract double of(CaptureStats stats);

  public String meterName() {
    return meterName;
  }

  public String description() {
    return description;
  }

  /** Whether it only rises while capture runs. */
  public boolean isCounter() {
    return counter;
  }

  public static List<CaptureMetrics> catalogue() {
    return Arrays.asList(values());
  }

  /** Registers every meter for one agent. The registry does not keep the agent alive. */
  public static void register(MeterRegistry registry, CaptureAgent agent, String region) {
    Tags tags = Tags.of("region", region);
    for (CaptureMetrics metric : values()) {
      ToDoubleFunction<CaptureAgent> source = each -> metric.of(each.snapshot());
      if (metric.counter) {
        FunctionCounter.builder(metric.meterName, agent, source)
            .description(metric.description)
            .tags(tags)
            .register(registry);
      } else {
        Gauge.builder(metric.meterName, agent, source)
            .description(metric.description)
            .tags(tags)
            .register(registry);
      }
    }
  }
}
