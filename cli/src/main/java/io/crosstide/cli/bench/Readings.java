package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Meter readings at one moment; only differences of two mean anything.
 *
 * @param applied changes written into each region's Redis
 * @param captured changes published by each region
 * @param redisCpuMicros of each region's Redis
 * @param processCpuMicros of all of Crosstide's processes together
 * @param stageCpuMicros the same by stage
 * @param wanBytes sent over all links
 */
record Readings(
    long nanos,
    Map<String, Long> applied,
    Map<String, Long> captured,
    Map<String, Long> redisCpuMicros,
    long processCpuMicros,
    Map<String, Long> stageCpuMicros,
    long wanBytes) {

  static Readings take(Target target, RedisMeters redis) {
    Map<String, Long> applied = new HashMap<>();
    Map<String, Long> captured = new HashMap<>();
    JsonNode stats = target.api().get("/api/v1/stats");
    for (Map.Entry<String, JsonNode> region : stats.path("regions").properties()) {
      applied.put(region.getKey(), region.getValue().path("applied").asLong());
      captured.put(region.getKey(), region.getValue().path("captured").asLong());
    }
    long process = 0;
    Map<String, Long> stages = new TreeMap<>();
    for (JsonNode one : target.api().get("/api/v1/cpu").path("processes")) {
      process += one.path("cpu_us").asLong();
      for (Map.Entry<String, JsonNode> stage : one.path("stages").properties()) {
        stages.merge(stage.getKey(), stage.getValue().asLong(), Long::sum);
      }
    }
    return new Readings(
        System.nanoTime(),
        applied,
        captured,
        redis.cpuMicros(),
        process,
        stages,
        wanBytes(target, stats));
  }

  /** What the emulated links carried, or, without them, what the bridges sent. */
  private static long wanBytes(Target target, JsonNode stats) {
    long bytes = 0;
    if (target.delayMillis().isEmpty()) {
      for (JsonNode pair : stats.path("pairs")) {
        bytes += pair.path("wire_bytes").asLong();
      }
    } else {
      for (JsonNode link : target.api().get("/api/v1/wan").path("links")) {
        bytes += link.path("bytes").asLong();
      }
    }
    return bytes;
  }

  /** How much each value has grown since {@code earlier}. */
  static Map<String, Long> grown(Map<String, Long> now, Map<String, Long> earlier) {
    Map<String, Long> grown = new TreeMap<>();
    now.forEach((name, value) -> grown.put(name, value - earlier.getOrDefault(name, 0L)));
    return grown;
  }

  double secondsSince(Readings earlier) {
    return (nanos - earlier.nanos) / 1e9;
  }
}
