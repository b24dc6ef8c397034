package io.crosstide.cli.sandbox;

import io.crosstide.cli.CliException;
import io.crosstide.cli.RoleWatch;
import io.crosstide.cli.Shutdown;
import io.crosstide.cli.roles.RegionRoles;
import io.crosstide.cli.roles.Role;
import io.crosstide.cli.roles.Stages;
import io.crosstide.control.ControlPlane;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.CrosstideConfig.Http;
import io.crosstide.control.config.CrosstideConfig.Kafka;
import io.crosstide.control.config.CrosstideConfig.Limits;
import io.crosstide.control.config.CrosstideConfig.Link;
import io.crosstide.control.config.CrosstideConfig.Policies;
import io.crosstide.control.config.CrosstideConfig.Redis;
import io.crosstide.control.config.CrosstideConfig.Region;
import io.crosstide.control.config.CrosstideConfig.Registry;
import io.crosstide.control.config.CrosstideConfig.Tls;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.sandbox.Infrastructure;
import io.crosstide.sandbox.SandboxRegion;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A running sandbox: on top of the infrastructure, every role of every region in this process, and
 * the API. The roles run from a {@link CrosstideConfig}, just as a deployment's.
 */
final class SandboxSession implements AutoCloseable {
  /** So long nothing may change while roles are starting. */
  private static final Duration START_STALL_MAX = Duration.ofMinutes(3);

  private final CrosstideConfig config;
  private final ControlPlane control;
  private final List<RegionRoles> roles = new ArrayList<>();
  private final URI address;

  /**
   * Starts the API and all roles in the background.
   *
   * @throws CliException if the HTTP port is taken
   */
  SandboxSession(Infrastructure infrastructure, int partitions, int httpPort) {
    this.config = config(infrastructure, partitions, httpPort);
    this.control = new ControlPlane(config, List.of(), Clock.systemUTC());
    try {
      this.address =
          control.serve(
              "sandbox",
              "127.0.0.1",
              httpPort,
              Set.of(),
              new SandboxWan(infrastructure.wan()),
              Stages.all());
      for (Region region : config.regions()) {
        roles.add(new RegionRoles(config, region, EnumSet.allOf(Role.class), control));
      }
    } catch (IOException e) {
      close();
      throw new CliException(e.getMessage() + ": choose another with --http-port", e);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private static CrosstideConfig config(
      Infrastructure infrastructure, int partitions, int httpPort) {
    List<Region> regions = new ArrayList<>();
    List<Link> links = new ArrayList<>();
    Http http = new Http("127.0.0.1", "127.0.0.1", httpPort, httpPort, httpPort, httpPort);
    for (SandboxRegion region : infrastructure.regions()) {
      regions.add(
          new Region(
              region.name(),
              region.id(),
              new Redis(URI.create(region.redisUri()), null, null, Tls.DEFAULT),
              new Kafka(region.kafkaBootstrap(), Map.of()),
              new Registry(infrastructure.registryUrl(), null, null, Tls.DEFAULT),
              http));
      for (SandboxRegion other : infrastructure.regions()) {
        if (!other.name().equals(region.name())) {
          Kafka across = new Kafka(region.kafkaBootstrapOf(other.name()), Map.of());
          links.add(new Link(region.name(), other.name(), across, Link.COMPRESSION_DEFAULT));
        }
      }
    }
    return new CrosstideConfig(
        partitions, infrastructure.directory(), regions, links, Limits.DEFAULT, Policies.DEFAULT);
  }

  CrosstideConfig config() {
    return config;
  }

  /** Where the API is. */
  URI address() {
    return address;
  }

  ControlPlane control() {
    return control;
  }

  /**
   * Waits until every role works, or has failed in some regions and works in the others.
   *
   * @return false if the command is to end before that
   * @throws CliException if a role has failed in every region, or nothing goes on any more
   */
  boolean awaitStart(RoleWatch watch, Shutdown shutdown) throws InterruptedException {
    String before = "";
    long changedAt = System.nanoTime();
    while (!watch.look(control.roles()) && !isStartedInPart(watch)) {
      String now = watch.notWorking(control.roles());
      if (!now.equals(before)) {
        before = now;
        changedAt = System.nanoTime();
      } else if (System.nanoTime() - changedAt > START_STALL_MAX.toNanos()) {
        throw new CliException(
            "not every role works, and nothing has changed for "
                + START_STALL_MAX.toSeconds()
                + " s: "
                + now);
      }
      if (shutdown.await(100, TimeUnit.MILLISECONDS)) {
        return false;
      }
    }
    return true;
  }

  private boolean isStartedInPart(RoleWatch watch) {
    List<RoleHandle> failed =
        control.roles().stream()
            .filter(role -> role.status().health() == RoleStatus.Health.FAILED)
            .toList();
    if (failed.isEmpty()) {
      return false;
    }
    long regionsFailed = failed.stream().map(RoleHandle::region).distinct().count();
    if (regionsFailed == config.regions().size()) {
      throw new CliException(watch.failed(control.roles()).orElseThrow());
    }
    return control.roles().stream()
        .map(role -> role.status().health())
        .allMatch(
            health -> health == RoleStatus.Health.WORKING || health == RoleStatus.Health.FAILED);
  }

  /** Stops the roles, then the API; the infrastructure stays. */
  @Override
  public void close() {
    roles.parallelStream().forEach(RegionRoles::close);
    control.close();
  }
}
