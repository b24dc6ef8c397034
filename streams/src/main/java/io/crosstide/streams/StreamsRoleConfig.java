package io.crosstide.streams;

import io.crosstide.apply.ApplyConfig;
import io.crosstide.crdt.Origin;
import io.crosstide.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * Settings of one region's streams role.
 *
 * @param region whose Redis is written to
 * @param regions ids of all regions by name, this one included
 * @param origin writer of the region's own log; another incarnation than capture's makes the role
 *     stop
 * @param bootstrap brokers of the region's own Kafka
 * @param kafkaProperties for every client, under Kafka's names; may hold secrets
 * @param redis how to reach the region's Redis
 * @param partitions of each log
 * @param stateDir for rows; a lost one is restored from the changelog. Not to be shared by two
 *     processes of one region
 * @param createTopics create missing topics at start; without it, missing ones stop the role
 * @param retention of logs it creates
 * @param skipMalformed let records that are no event pass, counted and logged; false stops before
 *     them
 */
public record StreamsRoleConfig(
    String region,
    Map<String, Integer> regions,
    Origin origin,
    String bootstrap,
    Map<String, String> kafkaProperties,
    ApplyConfig redis,
    int partitions,
    Path stateDir,
    boolean createTopics,
    Duration retention,
    boolean skipMalformed,
    StreamsTuning tuning) {

  public StreamsRoleConfig {
    regions = Map.copyOf(regions);
    kafkaProperties = Map.copyOf(kafkaProperties);
    if (origin.regionId() != idOf(region, regions)) {
      throw new IllegalArgumentException(
          "origin "
              + origin
              + " is not of region '"
              + region
              + "', whose id is "
              + idOf(region, regions));
    }
    if (partitions < 1) {
      throw new IllegalArgumentException(partitions + " partitions: at least 1 is needed");
    }
  }

  /** With every other setting at its default. */
  public static StreamsRoleConfig of(
      String region,
      Map<String, Integer> regions,
      String bootstrap,
      ApplyConfig redis,
      int partitions,
      Path stateDir) {
    return new StreamsRoleConfig(
        region,
        regions,
        Origin.of(idOf(region, regions)),
        bootstrap,
        Map.of(),
        redis,
        partitions,
        stateDir,
        true,
        Topics.RETENTION_DEFAULT,
        false,
        StreamsTuning.defaults());
  }

  private static int idOf(String region, Map<String, Integer> regions) {
    Integer id = regions.get(region);
    if (id == null) {
      throw new IllegalArgumentException(
          "region '" + region + "' is not among the configured regions " + regions.keySet());
    }
    return id;
  }

  /** The same with settings for every Kafka client. */
  public StreamsRoleConfig withKafkaProperties(Map<String, String> properties) {
    return new StreamsRoleConfig(
        region,
        regions,
        origin,
        bootstrap,
        properties,
        redis,
        partitions,
        stateDir,
        createTopics,
        retention,
        skipMalformed,
        tuning);
  }

  /** The same for another incarnation of the own log. */
  public StreamsRoleConfig withOrigin(Origin other) {
    return new StreamsRoleConfig(
        region,
        regions,
        other,
        bootstrap,
        kafkaProperties,
        redis,
        partitions,
        stateDir,
        createTopics,
        retention,
        skipMalformed,
        tuning);
  }

  /** The same with records that are no event skipped or not. */
  public StreamsRoleConfig withSkipMalformed(boolean skip) {
    return new StreamsRoleConfig(
        region,
        regions,
        origin,
        bootstrap,
        kafkaProperties,
        redis,
        partitions,
        stateDir,
        createTopics,
        retention,
        skip,
        tuning);
  }

  public StreamsRoleConfig withTuning(StreamsTuning other) {
    return new StreamsRoleConfig(
        region,
        regions,
        origin,
        bootstrap,
        kafkaProperties,
        redis,
        partitions,
        stateDir,
        createTopics,
        retention,
        skipMalformed,
        other);
  }

  @Override
  public String toString() {
    return "StreamsRoleConfig[region="
        + region
        + ", bootstrap="
        + bootstrap
        + ", redis="
        + redis.redis()
        + ", partitions="
        + partitions
        + ", kafkaProperties="
        + kafkaProperties.keySet()
        + "]";
  }
}
