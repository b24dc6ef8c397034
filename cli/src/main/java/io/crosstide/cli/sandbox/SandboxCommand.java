package io.crosstide.cli.sandbox;

import io.crosstide.cli.CliException;
import io.crosstide.cli.CompilerDirectives;
import io.crosstide.cli.ExitCodes;
import io.crosstide.cli.Logging;
import io.crosstide.cli.RoleWatch;
import io.crosstide.cli.Shutdown;
import io.crosstide.cli.Table;
import io.crosstide.cli.UnitConverters;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.CrosstideConfig.Region;
import io.crosstide.sandbox.Infrastructure;
import io.crosstide.sandbox.InfrastructureConfig;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxException;
import io.crosstide.sandbox.SandboxRegion;
import io.crosstide.sandbox.kafka.BrokerFaults;
import io.crosstide.sandbox.redis.RedisProcess;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs regions on this machine until it is told to stop. */
@Command(
    name = "sandbox",
    description = {
      "Run several regions on this machine: for each a Kafka broker, a Redis and every Crosstide"
          + " role, with emulated WAN links between them."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide sandbox",
      "  crosstide sandbox --regions paris,tokyo --wan-latency 120ms",
      "  crosstide sandbox --dir ~/crosstide-data     keeps everything; the next start goes on",
      "",
      "Then, in a second terminal:",
      "  redis-cli -p 7101 set greeting hello",
      "  redis-cli -p 7102 get greeting",
      "  crosstide wan cut us-east eu-west",
      "  crosstide verify",
      "",
      "Stop with Ctrl-C. Without --dir nothing is kept.",
    })
public final class SandboxCommand implements Callable<Integer> {
  private static final int REDIS_PORT_FIRST = 7101;

  /** A broker whose disk has failed may never finish closing. */
  private static final Duration CLOSE_AFTER_FAULT_MAX = Duration.ofSeconds(30);

  @Spec private CommandSpec spec;

  @Option(
      names = "--regions",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "us-east,eu-west,ap-south",
      description = "Names of the regions (default: ${DEFAULT-VALUE}).")
  private List<String> regions;

  @Option(
      names = "--redis-ports",
      paramLabel = "PORT",
      split = ",",
      description = "Ports of their Redis servers (default: 7101, 7102, ...).")
  private @Nullable List<Integer> redisPorts;

  @Option(
      names = "--http-port",
      paramLabel = "PORT",
      defaultValue = "8180",
      description = "Port of the HTTP API (default: ${DEFAULT-VALUE}).")
  private int httpPort;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      defaultValue = "2",
      description = "Partitions of each log (default: ${DEFAULT-VALUE}).")
  private int partitions;

  @Option(
      names = "--wan-latency",
      paramLabel = "DURATION",
      defaultValue = "40ms",
      converter = UnitConverters.OfDuration.class,
      description = "One-way delay between any two regions (default: ${DEFAULT-VALUE}).")
  private Duration wanLatency;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Keep everything here and go on from it (default: a temporary directory).")
  private @Nullable Path directory;

  @Option(
      names = "--redis-server",
      paramLabel = "PATH",
      description =
          "Redis or Valkey program (default: redis-server or valkey-server from PATH at 6.2 or"
              + " later, else the embedded one).")
  private @Nullable Path redisServer;

  @Option(
      names = "--ready-file",
      paramLabel = "FILE",
      description = "Written as JSON once clients can write: pid, http, regions.")
  private @Nullable Path readyFile;

  @Override
  public Integer call() throws InterruptedException {
    InfrastructureConfig wanted = infrastructureConfig();
    if (!Ports.isFree(httpPort)) {
      throw new CliException(
          "HTTP port " + httpPort + " is in use: choose another with --http-port");
    }
    Path ready = readyFile;
    if (ready != null) {
      ReadyFile.requireWritable(ready);
      ReadyFile.removeOld(ready);
    }
    Logging.ownErrorsOnly();
    CompilerDirectives.apply();
    AtomicReference<@Nullable String> fault = new AtomicReference<>();
    Shutdown shutdown = Shutdown.onSignal();
    try (shutdown;
        Infrastructure infrastructure = Infrastructure.start(wanted, this::tell)) {
      Path log = infrastructure.directory().resolve("sandbox.log");
      Logging.toFile(log);
      BrokerFaults.onFatalFault(
          sentence -> {
            fault.compareAndSet(null, sentence);
            shutdown.request();
          },
          CLOSE_AFTER_FAULT_MAX);
      try (SandboxSession session = new SandboxSession(infrastructure, partitions, httpPort)) {
        RoleWatch watch = new RoleWatch(this::tell);
        if (session.awaitStart(watch, shutdown)) {
          showEndpoints(session, infrastructure, log);
          attend(session, infrastructure, watch, shutdown);
        }
        tell("stopping");
      } finally {
        if (ready != null) {
          ReadyFile.removeOld(ready);
        }
      }
    } catch (SandboxException e) {
      if (!shutdown.isRequested()) {
        throw new CliException(String.valueOf(e.getMessage()), e);
      }
      // In a JVM that ends, libraries fail to start in ways of their own: only for the log.
      LoggerFactory.getLogger(SandboxCommand.class).warn("after the end was asked for", e);
    }
    String why = fault.get();
    if (why != null) {
      throw new CliException(why);
    }
    tell("stopped");
    return ExitCodes.OK;
  }

  /** Tells what changes until the sandbox is to end. */
  private void attend(
      SandboxSession session, Infrastructure infrastructure, RoleWatch watch, Shutdown shutdown)
      throws InterruptedException {
    boolean ready = false;
    Set<Long> deadServers = new HashSet<>();
    do {
      boolean working = watch.look(session.control().roles());
      if (working && !ready) {
        ready = true;
        session.control().markReady();
        if (readyFile != null) {
          ReadyFile.write(readyFile, session.address(), session.config().regions());
        }
      }
      for (SandboxRegion region : infrastructure.regions()) {
        RedisProcess redis = region.redis();
        if (!redis.isRunning() && deadServers.add(redis.pid())) {
          tell(region.name() + ": its Redis has ended. To start it again: " + redis.command());
        }
      }
    } while (!shutdown.await(500, TimeUnit.MILLISECONDS));
  }

  private InfrastructureConfig infrastructureConfig() {
    List<Integer> ports = redisPorts;
    if (ports != null && ports.size() != regions.size()) {
      throw new ParameterException(
          spec.commandLine(),
          "--redis-ports names "
              + ports.size()
              + " ports for "
              + regions.size()
              + " regions: name one each");
    }
    requirePort("--http-port", httpPort);
    for (int port : ports == null ? List.<Integer>of() : ports) {
      requirePort("--redis-ports", port);
      if (port == httpPort) {
        throw new ParameterException(
            spec.commandLine(), "--http-port and --redis-ports both name " + port);
      }
    }
    if (partitions > CrosstideConfig.PARTITIONS_MAX) {
      throw new ParameterException(
          spec.commandLine(),
          "--partitions " + partitions + " is too many: at most " + CrosstideConfig.PARTITIONS_MAX);
    }
    List<InfrastructureConfig.Region> all = new ArrayList<>();
    for (int i = 0; i < regions.size(); i++) {
      all.add(
          new InfrastructureConfig.Region(
              regions.get(i), i + 1, ports == null ? REDIS_PORT_FIRST + i : ports.get(i)));
    }
    try {
      return new InfrastructureConfig(all, directory, partitions, wanLatency, redisServer);
    } catch (SandboxException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private void requirePort(String option, int port) {
    if (port < 1 || port > 65_535) {
      throw new ParameterException(
          spec.commandLine(), option + " names " + port + ": a port is 1 to 65535");
    }
  }

  private void tell(String sentence) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("  " + sentence);
    err.flush();
  }

  private void showEndpoints(SandboxSession session, Infrastructure infrastructure, Path log) {
    PrintWriter out = spec.commandLine().getOut();
    Table table = new Table("region", "id", "Redis", "Kafka");
    for (Region region : session.config().regions()) {
      table.row(region.name(), region.id(), region.redis().uri(), region.kafka().bootstrap());
    }
    out.println();
    table.print(out);
    out.println();
    out.println("HTTP API         " + session.address());
    out.println("schema registry  " + infrastructure.registryUrl());
    out.println("log              " + log);
    if (directory == null) {
      out.println("Nothing is kept after the end; --dir DIR keeps it.");
    } else {
      out.println(
          (infrastructure.isContinued() ? "Went on with the data in " : "Data are kept in ")
              + infrastructure.directory());
    }
    List<Region> all = session.config().regions();
    int first = all.get(0).redis().uri().getPort();
    int last = all.get(all.size() - 1).redis().uri().getPort();
    String http = httpPort == 8180 ? "" : " --http " + session.address();
    out.println();
    out.println("Try in another terminal:");
    out.println("  redis-cli -p " + first + " set greeting hello");
    out.println("  redis-cli -p " + last + " get greeting");
    if (all.size() > 1) {
      out.println("  ./crosstide wan cut " + all.get(0).name() + " " + all.get(1).name() + http);
    }
    out.println("  ./crosstide stats" + http);
    out.println("  ./crosstide verify" + http);
    out.println("Ctrl-C stops everything.");
    out.flush();
  }
}
