package io.crosstide.cli;

import io.crosstide.cli.roles.RegionRoles;
import io.crosstide.cli.roles.Role;
import io.crosstide.cli.roles.Stages;
import io.crosstide.control.ControlPlane;
import io.crosstide.control.config.CrosstideConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs a region's roles against existing Redis and Kafka. */
@Command(
    name = "run",
    description = {
      "Run a region's roles against existing Redis and Kafka, all in this process or one process"
          + " each."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide config check crosstide.yaml",
      "  crosstide run --config crosstide.yaml --region us-east",
      "  crosstide run --config crosstide.yaml --region us-east --roles capture",
      "",
      "capture  reads the region's Redis as a replica and publishes its changes",
      "bridge   copies the region's log to the other regions",
      "streams  merges all logs and writes what others changed into the region's Redis",
      "",
      "Stop with Ctrl-C or SIGTERM. Exit status 1 if a role fails for good; its position is kept.",
    })
final class RunCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = {"-c", "--config"},
      required = true,
      paramLabel = "FILE",
      description = "The deployment's crosstide.yaml.")
  private Path file;

  @Option(
      names = "--region",
      required = true,
      paramLabel = "NAME",
      description = "The region to serve.")
  private String regionName;

  @Option(
      names = "--roles",
      paramLabel = "ROLE",
      split = ",",
      description = "What to run: ${COMPLETION-CANDIDATES} (default: all).")
  private @Nullable List<Role> roles;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    CrosstideConfig config = ConfigCommand.load(file, err);
    CrosstideConfig.Region region = region(config);
    List<Role> asked = roles;
    Set<Role> chosen = asked == null ? EnumSet.allOf(Role.class) : EnumSet.copyOf(asked);
    int port = port(region.http(), chosen);
    logTo(config, region.name(), chosen);
    CompilerDirectives.apply();
    try (Shutdown shutdown = Shutdown.onSignal();
        ControlPlane control =
            new ControlPlane(config, peers(config, region, port), Clock.systemUTC());
        RegionRoles running = new RegionRoles(config, region, chosen, control)) {
      URI address = control.serve("run", region.http().bind(), port, Set.of(), null, Stages.all());
      err.println("crosstide: " + region.name() + " " + words(chosen) + ", HTTP at " + address);
      err.flush();
      return watch(running, control, shutdown, err);
    } catch (IOException e) {
      throw new CliException(e.getMessage() + ": choose another under 'http' in " + file, e);
    }
  }

  private CrosstideConfig.Region region(CrosstideConfig config) {
    try {
      return config.region(regionName);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  private static int port(CrosstideConfig.Http http, Set<Role> roles) {
    if (roles.size() > 1) {
      return http.port();
    }
    return switch (roles.iterator().next()) {
      case CAPTURE -> http.capturePort();
      case BRIDGE -> http.bridgePort();
      case STREAMS -> http.streamsPort();
    };
  }

  private static String words(Set<Role> roles) {
    return String.join(", ", roles.stream().map(Role::word).toList());
  }

  private static void logTo(CrosstideConfig config, String region, Set<Role> roles) {
    Path directory = config.dataDir().resolve(region);
    String name = roles.size() > 1 ? "crosstide" : roles.iterator().next().word();
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new CliException(
          "the data directory " + directory + " cannot be created: " + e.getMessage(), e);
    }
    Logging.toFile(directory.resolve(name + ".log"));
  }

  /** Every address of the deployment but this process's own. */
  private static List<URI> peers(CrosstideConfig config, CrosstideConfig.Region own, int port) {
    return config.regions().stream()
        .flatMap(region -> region.http().addresses().stream())
        .distinct()
        .filter(
            address -> !(address.getHost().equals(own.http().host()) && address.getPort() == port))
        .toList();
  }

  /** Tells of every change of state until the process is to end, or a role has failed for good. */
  private static int watch(
      RegionRoles running, ControlPlane control, Shutdown shutdown, PrintWriter err)
      throws InterruptedException {
    RoleWatch watch =
        new RoleWatch(
            sentence -> {
              err.println(sentence);
              err.flush();
            });
    while (!shutdown.await(500, TimeUnit.MILLISECONDS)) {
      if (watch.look(running.handles())) {
        control.markReady();
      }
      watch
          .failed(running.handles())
          .ifPresent(
              failure -> {
                throw new CliException(failure);
              });
    }
    return ExitCodes.OK;
  }
}
