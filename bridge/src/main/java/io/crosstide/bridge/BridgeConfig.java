package io.crosstide.bridge;

import io.crosstide.schemas.Topics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Settings of one bridge, which copies logs from one region's Kafka to another's.
 *
 * @param source name of the region it runs in
 * @param target name of the region it pushes to
 * @param topics logs to copy; each keeps its name and partition numbers. Usually {@code
 *     changes.<source>} alone; further ones relay what the source received from others
 * @param sourceBootstrap address of the source's Kafka
 * @param targetBootstrap address of the target's Kafka, across the WAN
 * @param sourceProperties Kafka client properties for the source (security and the like)
 * @param targetProperties Kafka client properties for the target; they win over everything chosen
 *     here
 * @param compression {@code zstd}, {@code lz4}, {@code snappy}, {@code gzip} or {@code none}. zstd
 *     sends least; lz4 costs less processor time
 * @param bytesInFlightMax bound of what was read and is not yet acknowledged, in uncompressed
 *     bytes; one record may exceed it when alone. It also bounds the bridge's memory
 * @param commitInterval how often the resume position is stored; after a crash at most this much is
 *     sent twice, which receivers drop
 * @param closeTimeout how long {@link Bridge#close()} waits for outstanding acknowledgements
 */
public record BridgeConfig(
    String source,
    String target,
    List<String> topics,
    String sourceBootstrap,
    String targetBootstrap,
    Map<String, String> sourceProperties,
    Map<String, String> targetProperties,
    String compression,
    long bytesInFlightMax,
    Duration commitInterval,
    Duration closeTimeout) {

  /** Kept per bridge; three regions have six of them. Allows 100 MB/s at a round trip of 80 ms. */
  public static final long BYTES_IN_FLIGHT_MAX_DEFAULT = 8L << 20;

  public static final String COMPRESSION_DEFAULT = "zstd";

  public BridgeConfig {
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(target, "target");
    topics = List.copyOf(topics);
    sourceProperties = Map.copyOf(sourceProperties);
    targetProperties = Map.copyOf(targetProperties);
    if (source.equals(target)) {
      throw new IllegalArgumentException(
          "Region " + source + " needs no bridge to itself: name two regions.");
    }
    if (topics.isEmpty()) {
      throw new IllegalArgumentException(
          "Bridge " + source + "->" + target + " has no topics: name at least changes." + source);
    }
    if (bytesInFlightMax < 1) {
      throw new IllegalArgumentException(
          "bytesInFlightMax is " + bytesInFlightMax + ": it must be at least 1.");
    }
  }

  /** The bridge for the source's own log, with the defaults. */
  public static BridgeConfig of(
      String source, String target, String sourceBootstrap, String targetBootstrap) {
    return new BridgeConfig(
        source,
        target,
        List.of(Topics.changes(source)),
        sourceBootstrap,
        targetBootstrap,
        Map.of(),
        Map.of(),
        COMPRESSION_DEFAULT,
        BYTES_IN_FLIGHT_MAX_DEFAULT,
        Duration.ofMillis(500),
        Duration.ofSeconds(5));
  }

  /** The same for {@code logs} instead. */
  public BridgeConfig withTopics(List<String> logs) {
    return new BridgeConfig(
        source,
        target,
        logs,
        sourceBootstrap,
        targetBootstrap,
        sourceProperties,
        targetProperties,
        compression,
        bytesInFlightMax,
        commitInterval,
        closeTimeout);
  }

  /** The same with {@code algorithm}. */
  public BridgeConfig withCompression(String algorithm) {
    return new BridgeConfig(
        source,
        target,
        topics,
        sourceBootstrap,
        targetBootstrap,
        sourceProperties,
        targetProperties,
        algorithm,
        bytesInFlightMax,
        commitInterval,
        closeTimeout);
  }

  /** The same with Kafka client properties for both sides. */
  public BridgeConfig withProperties(Map<String, String> ofSource, Map<String, String> ofTarget) {
    return new BridgeConfig(
        source,
        target,
        topics,
        sourceBootstrap,
        targetBootstrap,
        ofSource,
        ofTarget,
        compression,
        bytesInFlightMax,
        commitInterval,
        closeTimeout);
  }

  /** {@code source->target}, as it is called in logs and metrics. */
  public String link() {
    return source + "->" + target;
  }

  String group() {
    return Topics.bridgeGroup(source, target);
  }
}
