package io.crosstide.control;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.explain.ExplainService;
import io.crosstide.control.http.ControlNode;
import io.crosstide.control.http.ControlServer;
import io.crosstide.control.redis.RedisClients;
import io.crosstide.control.role.MergedState;
import io.crosstide.control.role.RegionInfo;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.WanControl;
import io.crosstide.control.stats.Peers;
import io.crosstide.control.stats.ProcessCpu;
import io.crosstide.control.stats.StatsService;
import io.crosstide.control.verify.DeployedRegion;
import io.crosstide.control.verify.LocalMergedImages;
import io.crosstide.control.verify.MergedImages;
import io.crosstide.control.verify.RemoteMergedImages;
import io.crosstide.control.verify.VerifiedRegion;
import io.crosstide.control.verify.VerifyService;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The control plane of one process: its roles are registered here, and it serves the HTTP API for
 * them. Roles may be added and removed while it runs.
 */
public final class ControlPlane implements AutoCloseable {
  private final CrosstideConfig config;
  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final ObjectMapper json = new ObjectMapper();
  private final List<RoleHandle> roles = new CopyOnWriteArrayList<>();
  private final Map<String, MergedState> merged = new ConcurrentHashMap<>();
  private final RedisClients redisClients = new RedisClients();
  private final Peers peers;
  private final StatsService stats;
  private final ExplainService explain;
  private final VerifyService verify;
  private volatile boolean ready;
  private @Nullable ControlServer server;

  /**
   * @param peers addresses of the deployment's other processes
   */
  public ControlPlane(CrosstideConfig config, List<URI> peers, Clock clock) {
    this.config = config;
    this.peers = new Peers(peers, json);
    List<String> names = config.regions().stream().map(CrosstideConfig.Region::name).toList();
    this.stats = new StatsService(json, names, () -> List.copyOf(roles), this.peers, clock);
    Map<String, Integer> ids = new LinkedHashMap<>();
    config.regions().forEach(region -> ids.put(region.name(), region.id()));
    this.explain =
        new ExplainService(
            json,
            ids,
            config.partitions(),
            name -> redisClients.open(config.region(name)),
            merged::get,
            this.peers);
    this.verify = new VerifyService(this::openRegions, config.partitions(), clock);
  }

  /** Where roles register their meters; served under {@code /metrics}. */
  public MeterRegistry metrics() {
    return metrics;
  }

  public void add(RoleHandle role) {
    roles.add(role);
  }

  public void remove(RoleHandle role) {
    roles.remove(role);
  }

  public List<RoleHandle> roles() {
    return List.copyOf(roles);
  }

  /** Makes a region's merged state available to explanations and verifications. */
  public void offer(String region, MergedState state) {
    merged.put(region, state);
  }

  /** From now on the API says that clients can write. */
  public void markReady() {
    ready = true;
  }

  /**
   * Serves the API.
   *
   * @param mode {@code sandbox} or {@code run}
   * @param stages how CPU time is divided
   * @throws IOException if the port is taken
   */
  public URI serve(
      String mode,
      String bind,
      int port,
      Set<String> hosts,
      @Nullable WanControl wan,
      List<ProcessCpu.Stage> stages)
      throws IOException {
    List<RegionInfo> regions =
        config.regions().stream()
            .map(
                region ->
                    new RegionInfo(
                        region.name(),
                        region.id(),
                        region.redis().uri(),
                        region.kafka().bootstrap(),
                        region.registry().url()))
            .toList();
    ControlNode node =
        new ControlNode(
            mode,
            config.partitions(),
            regions,
            this::roles,
            () -> ready,
            wan,
            stats,
            explain,
            verify,
            merged::get,
            new ProcessCpu(stages),
            metrics::scrape);
    Set<String> names = new HashSet<>(hosts);
    config.regions().forEach(region -> names.add(region.http().host()));
    ControlServer started = ControlServer.start(node, bind, port, names, json);
    server = started;
    return started.address();
  }

  private List<VerifiedRegion> openRegions() {
    List<VerifiedRegion> open = new ArrayList<>();
    for (CrosstideConfig.Region region : config.regions()) {
      open.add(
          new DeployedRegion(
              region,
              config.partitions(),
              redisClients.open(region),
              () -> stats.region(region.name()),
              mergedImages(region.name())));
    }
    return open;
  }

  private @Nullable MergedImages mergedImages(String region) {
    MergedState local = merged.get(region);
    if (local != null) {
      return new LocalMergedImages(local);
    }
    return peers.isAlone() ? null : new RemoteMergedImages(region, peers);
  }

  /** Stops serving. Roles are not closed: whoever started them does that. */
  @Override
  public void close() {
    ControlServer running = server;
    if (running != null) {
      running.close();
    }
    verify.close();
    redisClients.close();
    metrics.close();
  }
}
