package io.crosstide.cli.roles;

import io.crosstide.capture.CaptureAgent;
import io.crosstide.capture.CaptureConfig;
import io.crosstide.capture.CaptureMetrics;
import io.crosstide.capture.CaptureStats;
import io.crosstide.capture.command.FlushPolicy;
import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.capture.rdb.KafkaSentEffects;
import io.crosstide.capture.rdb.ResyncPolicy;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.RoleStatus.Health;
import io.crosstide.control.verify.DeployedRegion;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;

/** The capture role of one region. */
public final class CaptureRole implements RoleHandle {
  private final String region;
  private final CaptureAgent agent;

  /** Starts it in the background. */
  public CaptureRole(
      CrosstideConfig config,
      CrosstideConfig.Region region,
      SchemaRegistry registry,
      MeterRegistry metrics) {
    this.region = region.name();
    CaptureConfig capture = captureConfig(config, region);
    this.agent =
        new CaptureAgent(
            capture,
            registry,
            new KafkaSentEffects(capture.kafka(), Topics.sentEffects(region.name())));
    CaptureMetrics.register(metrics, agent, region.name());
    agent.start();
  }

  private static CaptureConfig captureConfig(
      CrosstideConfig config, CrosstideConfig.Region region) {
    Map<String, Object> kafka = new HashMap<>(region.kafka().properties());
    kafka.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, region.kafka().bootstrap());
    Secret password = region.redis().password();
    RedisEndpoint redis =
        RedisEndpoint.parse(region.redis().uri().toString())
            .withCredentials(region.redis().user(), password == null ? null : password.reveal())
            .withTlsContext(TlsContexts.of(region.redis().tls()));
    return CaptureConfig.of(
            region.name(),
            region.id(),
            redis,
            kafka,
            config.partitions(),
            config.dataDir(region.name(), Role.CAPTURE.word()))
        .withEventBytesMax(Math.toIntExact(config.limits().eventBytesMax()))
        .withClockSkewMax(config.limits().clockSkewMax())
        .withFloatIncrements(config.policies().floatIncrements())
        .withMessages(config.policies().pubsub().equals("replicate"))
        .withFlush(FlushPolicy.valueOf(config.policies().flush().toUpperCase(Locale.ROOT)))
        .withResync(
            config.policies().resync().equals("fail")
                ? ResyncPolicy.FAIL
                : ResyncPolicy.PUBLISH_DIFFERENCES);
  }

  @Override
  public String region() {
    return region;
  }

  @Override
  public String name() {
    return Role.CAPTURE.word();
  }

  @Override
  public RoleStatus status() {
    CaptureStats stats = agent.snapshot();
    Health health =
        switch (stats.state()) {
          case STARTING, SYNCING -> Health.STARTING;
          case STREAMING -> Health.WORKING;
          case DISCONNECTED -> Health.WAITING;
          case FAILED, CLOSED -> Health.FAILED;
        };
    return new RoleStatus(stats.state().name().toLowerCase(Locale.ROOT), health, stats.sentence());
  }

  @Override
  public Map<String, Object> stats() {
    CaptureStats stats = agent.snapshot();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("captured", stats.eventsCaptured());
    out.put("control_events", stats.controlEvents());
    out.put("echoes", stats.echoes());
    out.put("unsupported", stats.unsupported());
    out.put("local_commands", stats.local());
    out.put(DeployedRegion.CAPTURE_EPOCH, stats.captureEpoch());
    out.put("read_offset", stats.readOffset());
    out.put(DeployedRegion.DURABLE_OFFSET, stats.durableOffset());
    out.put("capture_lag_bytes", stats.lagBytes());
    out.put("capture_lag_ms", stats.lagMillis());
    out.put("in_flight_events", stats.inFlightRecords());
    out.put("full_resyncs", stats.fullResyncs());
    out.put("redis_reconnects", stats.reconnects());
    out.put("clock_skew_ms", stats.clockSkewMillis());
    return out;
  }

  @Override
  public void close() {
    agent.close();
  }
}
