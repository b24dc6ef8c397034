package io.crosstide.control.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.redis.RegionRedis;
import io.crosstide.crdt.VersionVector;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A region of a running deployment, reached over the network. */
public final class DeployedRegion implements VerifiedRegion {
  /** Where capture's counters say up to which replication offset everything is in the log. */
  public static final String DURABLE_OFFSET = "durable_offset";

  public static final String CAPTURE_EPOCH = "capture_epoch";

  private final CrosstideConfig.Region region;
  private final int partitions;
  private final RegionRedis redis;
  private final Supplier<JsonNode> stats;
  private final @Nullable MergedImages merged;
  private @Nullable LogEnds logEnds;

  /**
   * @param redis closed together with this
   * @param stats the region's counters
   */
  public DeployedRegion(
      CrosstideConfig.Region region,
      int partitions,
      RegionRedis redis,
      Supplier<JsonNode> stats,
      @Nullable MergedImages merged) {
    this.region = region;
    this.partitions = partitions;
    this.redis = redis;
    this.stats = stats;
    this.merged = merged;
  }

  @Override
  public String name() {
    return region.name();
  }

  @Override
  public RegionRedis redis() {
    return redis;
  }

  @Override
  public List<VersionVector> logEnds() throws IOException {
    LogEnds open = logEnds;
    if (open == null) {
      open = new LogEnds(region.name(), region.kafka(), partitions);
      logEnds = open;
    }
    return open.read(stats.get().path(CAPTURE_EPOCH).asInt(0));
  }

  @Override
  public OptionalLong capturedOffset() {
    JsonNode offset = stats.get().path(DURABLE_OFFSET);
    return offset.isIntegralNumber() ? OptionalLong.of(offset.asLong()) : OptionalLong.empty();
  }

  @Override
  public @Nullable MergedImages merged() {
    return merged;
  }

  @Override
  public void close() {
    redis.close();
    LogEnds open = logEnds;
    if (open != null) {
      open.close();
    }
  }
}
