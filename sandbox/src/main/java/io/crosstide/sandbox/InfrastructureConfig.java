package io.crosstide.sandbox;

import io.crosstide.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a sandbox is made of.
 *
 * @param regions at least one, names and ids distinct
 * @param directory where data are kept over restarts; null for a temporary one that is deleted at
 *     the end
 * @param partitions partitions of every log, fixed for the life of a directory
 * @param wanLatency one-way delay between any two regions
 * @param redisServer program to run as Redis; null to look for one
 */
public record InfrastructureConfig(
    List<Region> regions,
    @Nullable Path directory,
    int partitions,
    Duration wanLatency,
    @Nullable Path redisServer) {

  /**
   * One region.
   *
   * @param id 1..127
   * @param redisPort port of its Redis; 0 for the one used before, else any free one
   */
  public record Region(String name, int id, int redisPort) {}

  public InfrastructureConfig {
    regions = List.copyOf(regions);
    if (regions.isEmpty()) {
      throw new SandboxException("A sandbox needs at least one region: name some with --regions.");
    }
    if (partitions < 1) {
      throw new SandboxException(
          "--partitions " + partitions + " is too few: a log has at least 1 partition.");
    }
    Set<String> names = new HashSet<>();
    Set<Integer> ids = new HashSet<>();
    Set<Integer> ports = new HashSet<>();
    for (Region region : regions) {
      requireName(region.name());
      if (!names.add(region.name())) {
        throw new SandboxException("--regions names " + region.name() + " twice: name each once.");
      }
      if (region.id() < 1 || region.id() > 127 || !ids.add(region.id())) {
        throw new SandboxException(
            "Region "
                + region.name()
                + " has id "
                + region.id()
                + ": ids are 1 to 127 and each is used once.");
      }
      if (region.redisPort() != 0 && !ports.add(region.redisPort())) {
        throw new SandboxException(
            "--redis-ports gives port " + region.redisPort() + " twice: give each region its own.");
      }
    }
  }

  private static void requireName(String name) {
    try {
      Topics.changes(name);
    } catch (IllegalArgumentException e) {
      throw new SandboxException("--regions: " + e.getMessage() + ".", e);
    }
  }
}
