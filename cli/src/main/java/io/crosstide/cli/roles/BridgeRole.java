package io.crosstide.cli.roles;

import io.crosstide.bridge.Bridge;
import io.crosstide.bridge.BridgeConfig;
import io.crosstide.bridge.BridgeState;
import io.crosstide.bridge.BridgeStats;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.role.PairStats;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.RoleStatus.Health;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** The bridges out of one region, one per link. */
public final class BridgeRole implements RoleHandle {
  private final String region;
  private final List<Bridge> bridges;

  /** Starts them in the background. */
  public BridgeRole(CrosstideConfig config, CrosstideConfig.Region region, MeterRegistry metrics) {
    this.region = region.name();
    this.bridges =
        config.linksFrom(region.name()).stream()
            .map(link -> new Bridge(bridgeConfig(region, link), metrics).start())
            .toList();
  }

  private static BridgeConfig bridgeConfig(
      CrosstideConfig.Region source, CrosstideConfig.Link link) {
    return BridgeConfig.of(
            link.from(), link.to(), source.kafka().bootstrap(), link.kafka().bootstrap())
        .withCompression(link.compression())
        .withProperties(source.kafka().properties(), link.kafka().properties());
  }

  @Override
  public String region() {
    return region;
  }

  @Override
  public String name() {
    return Role.BRIDGE.word();
  }

  @Override
  public RoleStatus status() {
    List<BridgeStats> stats = bridges.stream().map(Bridge::snapshot).toList();
    String troubles =
        stats.stream()
            .map(BridgeStats::trouble)
            .filter(Objects::nonNull)
            .collect(Collectors.joining("; "));
    if (stats.stream().allMatch(each -> each.state() == BridgeState.RUNNING)) {
      return new RoleStatus("running", Health.WORKING, troubles);
    }
    String waiting =
        stats.stream()
            .filter(each -> each.state() != BridgeState.RUNNING)
            .map(BridgeStats::target)
            .collect(Collectors.joining(", "));
    return new RoleStatus(
        "connecting", Health.WAITING, troubles.isEmpty() ? "to " + waiting : troubles);
  }

  /** Everything worth knowing is per pair. */
  @Override
  public Map<String, Object> stats() {
    return Map.of();
  }

  @Override
  public List<PairStats> pairs() {
    return bridges.stream().map(Bridge::snapshot).map(BridgeRole::pair).toList();
  }

  private static PairStats pair(BridgeStats stats) {
    return new PairStats(
        stats.source(),
        stats.target(),
        stats.state().name().toLowerCase(Locale.ROOT),
        stats.backlogEvents(),
        stats.lagMillisP50(),
        stats.lagMillisP99(),
        stats.events(),
        stats.bytes(),
        stats.wireBytes());
  }

  @Override
  public void close() {
    bridges.parallelStream().forEach(Bridge::close);
  }
}
