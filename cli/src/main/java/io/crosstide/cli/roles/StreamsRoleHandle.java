package io.crosstide.cli.roles;

import io.crosstide.apply.ApplyConfig;
import io.crosstide.apply.RedisEndpoint;
import io.crosstide.control.ControlPlane;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.RoleStatus.Health;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.merge.PartitionMerger.Phase;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.streams.StreamsRole;
import io.crosstide.streams.StreamsRoleConfig;
import io.crosstide.streams.StreamsStats;
import io.crosstide.streams.owner.MergeCounts;
import io.crosstide.streams.owner.PartitionStatus;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The streams role of one region. */
public final class StreamsRoleHandle implements RoleHandle {
  private final String region;
  private final int regionId;
  private final StreamsRole role;

  /** Starts it in the background and makes its merged state known to {@code control}. */
  public StreamsRoleHandle(
      CrosstideConfig config,
      CrosstideConfig.Region region,
      SchemaRegistry registry,
      ControlPlane control) {
    this.region = region.name();
    this.regionId = region.id();
    Map<String, Integer> ids = new HashMap<>();
    config.regions().forEach(each -> ids.put(each.name(), each.id()));
    StreamsRoleConfig roleConfig =
        StreamsRoleConfig.of(
                region.name(),
                ids,
                region.kafka().bootstrap(),
                ApplyConfig.of(region.name(), endpoint(region.redis())),
                config.partitions(),
                config.dataDir(region.name(), Role.STREAMS.word()))
            .withKafkaProperties(region.kafka().properties())
            .withSkipMalformed(config.policies().skipMalformed());
    this.role = new StreamsRole(roleConfig, registry, control.metrics(), Clock.systemUTC());
    control.offer(region.name(), new StreamsMergedState(role.queries(), config));
    role.start();
  }

  private static RedisEndpoint endpoint(CrosstideConfig.Redis redis) {
    Secret password = redis.password();
    return new RedisEndpoint(
        redis.uri().getHost(),
        redis.port(),
        redis.user(),
        password == null ? null : password.reveal(),
        redis.isEncrypted(),
        redis.tls().caFile(),
        redis.tls().certFile(),
        redis.tls().keyFile(),
        true);
  }

  @Override
  public String region() {
    return region;
  }

  @Override
  public String name() {
    return Role.STREAMS.word();
  }

  @Override
  public RoleStatus status() {
    StreamsStats stats = role.stats();
    String state = stats.state().name().toLowerCase(Locale.ROOT);
    return switch (stats.state()) {
      case CREATED, STARTING -> new RoleStatus(state, Health.STARTING, stats.detail());
      case WAITING -> new RoleStatus(state, Health.WAITING, stats.detail());
      case FAILED, CLOSED -> new RoleStatus(state, Health.FAILED, stats.detail());
      case RUNNING -> running(stats.partitions(), stats.detail());
    };
  }

  /** A running application may still be taking partitions over, or wait for its Redis. */
  private static RoleStatus running(List<PartitionStatus> partitions, String trouble) {
    Map<Phase, Long> unready = new TreeMap<>();
    for (PartitionStatus partition : partitions) {
      if (partition.phase() != Phase.RUNNING) {
        unready.merge(partition.phase(), 1L, Long::sum);
      }
    }
    if (unready.isEmpty()) {
      return RoleStatus.working("running");
    }
    boolean connecting = unready.containsKey(Phase.CONNECTING);
    return new RoleStatus(
        connecting ? "connecting" : "taking over",
        connecting ? Health.WAITING : Health.STARTING,
        "partitions by phase: "
            + unready.toString().toLowerCase(Locale.ROOT)
            + (trouble.isEmpty() ? "" : "; " + trouble));
  }

  @Override
  public Map<String, Object> stats() {
    StreamsStats stats = role.stats();
    MergeCounts counts = stats.counts();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("merged", counts.events());
    out.put("applied", applied(stats.partitions()));
    out.put("effects", counts.effects());
    out.put("duplicates", counts.duplicates());
    out.put("guard_misses", counts.misses());
    out.put("probes", counts.probes());
    out.put("conflicts", counts.conflicts());
    out.put("unrepresentable", counts.unrepresentable());
    out.put("refused_batches", counts.refused());
    out.put("fenced", counts.fenced());
    out.put("malformed", counts.malformed());
    out.put("stalls", counts.stalls());
    out.put("apply_backlog", stats.backlog());
    out.put("tracked_elements", stats.tracked());
    out.put("held_events", stats.held());
    Map<String, Object> lag = new TreeMap<>();
    counts
        .origins()
        .forEach(
            (origin, of) -> {
              if (of.applied() > 0) {
                lag.put(origin, Map.of("p50", of.lagMillisP50(), "p99", of.lagMillisP99()));
              }
            });
    out.put("apply_lag_ms", lag);
    return out;
  }

  /** Events of other regions that the markers of this process's partitions claim. */
  private long applied(List<PartitionStatus> partitions) {
    long sum = 0;
    for (PartitionStatus partition : partitions) {
      VersionVector context = partition.applied();
      for (int i = 0; i < context.size(); i++) {
        if (context.originAt(i).regionId() != regionId) {
          sum += context.seqAt(i);
        }
      }
    }
    return sum;
  }

  @Override
  public void close() {
    role.close();
  }
}
