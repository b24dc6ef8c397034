package io.crosstide.control.stats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.role.PairStats;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The counters of all roles of a deployment: those of this process, and those that the other
 * processes give when asked.
 */
public final class StatsService {
  private final ObjectMapper json;
  private final Supplier<List<RoleHandle>> roles;
  private final Peers peers;
  private final Clock clock;
  private final List<String> regions;

  public StatsService(
      ObjectMapper json,
      List<String> regions,
      Supplier<List<RoleHandle>> roles,
      Peers peers,
      Clock clock) {
    this.json = json;
    this.regions = List.copyOf(regions);
    this.roles = roles;
    this.peers = peers;
    this.clock = clock;
  }

  /** Of this process alone. */
  public ObjectNode process() {
    ObjectNode out = empty();
    ObjectNode byRegion = (ObjectNode) out.get("regions");
    ArrayNode pairs = (ArrayNode) out.get("pairs");
    for (RoleHandle role : roles.get()) {
      if (byRegion.get(role.region()) instanceof ObjectNode region) {
        ObjectNode states = region.withObject("/roles");
        states.set(role.name(), status(role.status()));
        for (Map.Entry<String, Object> stat : role.stats().entrySet()) {
          region.set(stat.getKey(), json.valueToTree(stat.getValue()));
        }
      }
      role.pairs().forEach(pair -> pairs.add(pair(pair)));
    }
    return out;
  }

  /** Of every process that can be reached; those that cannot are named. */
  public ObjectNode deployment() {
    ObjectNode out = process();
    Peers.Answers answers = peers.get("/api/v1/stats?scope=process");
    for (JsonNode answer : answers.bodies()) {
      merge(out, answer);
    }
    answers.unreachable().forEach(out.withArray("/unreachable")::add);
    return out;
  }

  /** {@code own} and the like of every other process that can be reached. */
  public ObjectNode processes(ObjectNode own, String path) {
    ObjectNode out = json.createObjectNode();
    ArrayNode processes = out.putArray("processes");
    processes.add(own);
    peers.get(path).bodies().forEach(processes::add);
    return out;
  }

  /** The counters of one region, from wherever its roles run. */
  public JsonNode region(String region) {
    JsonNode local = process().path("regions").path(region);
    return peers.isAlone() ? local : deployment().path("regions").path(region);
  }

  private ObjectNode empty() {
    ObjectNode out = json.createObjectNode();
    out.put("at_ms", clock.millis());
    ObjectNode byRegion = out.putObject("regions");
    regions.forEach(byRegion::putObject);
    out.putArray("pairs");
    out.putArray("unreachable");
    return out;
  }

  private ObjectNode status(RoleStatus status) {
    ObjectNode out = json.createObjectNode();
    out.put("state", status.state());
    out.put("health", status.health().name().toLowerCase(java.util.Locale.ROOT));
    if (!status.detail().isEmpty()) {
      out.put("detail", status.detail());
    }
    return out;
  }

  private ObjectNode pair(PairStats pair) {
    ObjectNode out = json.createObjectNode();
    out.put("from", pair.from());
    out.put("to", pair.to());
    out.put("state", pair.state());
    out.put("backlog", pair.backlogEvents());
    ObjectNode lag = out.putObject("lag_ms");
    lag.put("p50", rounded(pair.lagMillisP50()));
    lag.put("p99", rounded(pair.lagMillisP99()));
    out.put("events", pair.events());
    out.put("payload_bytes", pair.payloadBytes());
    out.put("wire_bytes", pair.wireBytes());
    return out;
  }

  private static double rounded(double millis) {
    return Math.round(millis * 100) / 100.0;
  }

  /** Joins another process's answer: regions field by field, pairs as a list. */
  private static void merge(ObjectNode into, JsonNode other) {
    ObjectNode regions = (ObjectNode) into.get("regions");
    for (Map.Entry<String, JsonNode> region : other.path("regions").properties()) {
      ObjectNode mine = regions.withObject("/" + region.getKey());
      for (Map.Entry<String, JsonNode> stat : region.getValue().properties()) {
        if (stat.getKey().equals("roles") && stat.getValue() instanceof ObjectNode states) {
          mine.withObject("/roles").setAll(states);
        } else if (isCount(mine.get(stat.getKey())) && isCount(stat.getValue())) {
          // Several streams processes share a region: each has counted its partitions.
          long sum = mine.get(stat.getKey()).asLong() + stat.getValue().asLong();
          mine.put(stat.getKey(), sum);
        } else {
          mine.set(stat.getKey(), stat.getValue());
        }
      }
    }
    ArrayNode pairs = into.withArray("/pairs");
    other.path("pairs").forEach(pairs::add);
  }

  private static boolean isCount(@Nullable JsonNode value) {
    return value != null && value.isIntegralNumber();
  }
}
