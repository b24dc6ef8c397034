package io.crosstide.sandbox;

import io.crosstide.sandbox.kafka.BrokerConfig;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.sandbox.registry.EmbeddedSchemaRegistry;
import io.crosstide.sandbox.wan.WanEmulator;
import io.crosstide.sandbox.wan.WanLink;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything below Crosstide's own stages, on one machine: per region a Kafka broker and a Redis,
 * between any two regions a WAN link each way, and one schema registry.
 *
 * <p>There is one registry for all, on the first region's Kafka: schema ids travel inside events
 * from region to region and must mean the same everywhere.
 *
 * <p>With a directory, a later start goes on with its data, also after {@code kill -9} of
 * everything. Start once, close once; the parts may be used by several threads.
 */
public final class Infrastructure implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Infrastructure.class);
  private static final Duration REDIS_READY = Duration.ofMinutes(2);

  private final InfrastructureConfig config;
  private final SandboxDirectory directory;
  private final WanEmulator wan = new WanEmulator();
  private final List<SandboxRegion> regions = new ArrayList<>();
  private boolean continued;
  private @Nullable EmbeddedSchemaRegistry registry;

  private Infrastructure(InfrastructureConfig config, SandboxDirectory directory) {
    this.config = config;
    this.directory = directory;
  }

  /**
   * Starts everything and returns when it serves clients.
   *
   * @throws SandboxException with one sentence for the owner when something is missing or in the
   *     way; nothing is left running then
   */
  public static Infrastructure start(InfrastructureConfig config, StartupProgress progress) {
    SandboxDirectory directory = SandboxDirectory.open(config.directory());
    Infrastructure infrastructure = new Infrastructure(config, directory);
    try {
      infrastructure.startAll(
          step -> {
            synchronized (infrastructure) {
              progress.step(step);
            }
          });
      return infrastructure;
    } catch (RuntimeException | Error e) {
      infrastructure.closeAfter(e);
      throw e;
    }
  }

  /** The regions in the order of the configuration. */
  public List<SandboxRegion> regions() {
    return List.copyOf(regions);
  }

  public SandboxRegion region(String name) {
    return regions.stream()
        .filter(r -> r.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("There is no region " + name + " in this sandbox."));
  }

  public WanEmulator wan() {
    return wan;
  }

  /** Address of the schema registry, as {@code http://127.0.0.1:port}. */
  public URI registryUrl() {
    EmbeddedSchemaRegistry running = registry;
    if (running == null) {
      throw new IllegalStateException("The sandbox is closed.");
    }
    return running.url();
  }

  /** Where everything is kept; deleted at the end if it was not asked for. */
  public Path directory() {
    return directory.root();
  }

  /** Whether the directory held a sandbox before. */
  public boolean isContinued() {
    return continued;
  }

  public InfrastructureConfig config() {
    return config;
  }

  /**
   * Stops everything in order and leaves no process behind. Close Crosstide's own stages before.
   */
  @Override
  public void close() {
    closeAfter(null);
  }

  private void startAll(StartupProgress progress) {
    SandboxSettings settings = SandboxSettings.open(directory, config);
    continued = settings.continued();
    RedisBinary binary = RedisBinary.find(config.redisServer(), directory.binaries());
    progress.step(
        "Redis is " + binary.version() + ", " + (binary.embedded() ? "embedded" : binary.path()));
    settings.redisVersion(directory, binary.version());
    plan(settings, binary);
    settings.store();
    for (SandboxRegion region : regions) {
      region.redis().start();
    }
    inParallel(
        regions,
        region -> {
          region.startBroker();
          progress.step(region.name() + ": Kafka serves " + region.kafkaBootstrap());
        });
    inParallel(
        regions,
        region -> {
          region.redis().awaitReady(REDIS_READY);
          progress.step(region.name() + ": Redis serves 127.0.0.1:" + region.redis().port());
        });
    List<String> names = regions.stream().map(SandboxRegion::name).toList();
    inParallel(regions, region -> SandboxTopics.create(region, names, config.partitions()));
    registry =
        EmbeddedSchemaRegistry.start(regions.get(0).kafkaBootstrap(), settings.port("registry"));
    progress.step("schema registry serves " + registryUrl());
  }

  /** Chooses ports, opens the links, and makes the regions without starting them. */
  private void plan(SandboxSettings settings, RedisBinary binary) {
    Map<String, Map<String, WanLink>> linksOut = new HashMap<>();
    Map<String, BrokerConfig> brokers = new HashMap<>();
    // Ports that were asked for come first, so that none of them is given to anything else.
    Map<String, Integer> redisPorts = new HashMap<>();
    for (InfrastructureConfig.Region region : config.regions()) {
      redisPorts.put(region.name(), redisPort(settings, region));
    }
    for (InfrastructureConfig.Region region : config.regions()) {
      String name = region.name();
      linksOut.put(name, new HashMap<>());
      brokers.put(
          name,
          new BrokerConfig(
              region.id(),
              directory.region(name).resolve("kafka"),
              settings.port(name + ".kafka"),
              settings.port(name + ".controller"),
              Map.of(),
              Map.of()));
    }
    for (InfrastructureConfig.Region from : config.regions()) {
      for (InfrastructureConfig.Region to : config.regions()) {
        if (!from.equals(to)) {
          String purpose = from.name() + ".to." + to.name();
          int brokerPort = settings.port(purpose + ".broker");
          WanLink link =
              wan.open(from.name(), to.name(), settings.port(purpose + ".link"), brokerPort);
          wan.delay(from.name(), to.name(), config.wanLatency());
          linksOut.computeIfAbsent(from.name(), name -> new HashMap<>()).put(to.name(), link);
          brokers.computeIfPresent(
              to.name(),
              (name, broker) -> broker.withWanListener(from.name(), brokerPort, link::address));
        }
      }
    }
    for (InfrastructureConfig.Region region : config.regions()) {
      String name = region.name();
      BrokerConfig broker = brokers.get(name);
      Map<String, WanLink> links = linksOut.get(name);
      if (broker == null || links == null) {
        throw new IllegalStateException("Region " + name + " was not planned.");
      }
      regions.add(
          new SandboxRegion(
              name,
              region.id(),
              directory.region(name),
              new RedisProcess(
                  new RedisConfig(
                      binary,
                      directory.region(name).resolve("redis"),
                      redisPorts.getOrDefault(name, 0),
                      config.directory() != null)),
              broker,
              links));
    }
  }

  private static int redisPort(SandboxSettings settings, InfrastructureConfig.Region region) {
    String purpose = region.name() + ".redis";
    if (region.redisPort() == 0) {
      return settings.port(purpose);
    }
    settings.port(purpose, region.redisPort());
    return region.redisPort();
  }

  private void closeAfter(@Nullable Throwable cause) {
    List<Runnable> steps = new ArrayList<>();
    EmbeddedSchemaRegistry running = registry;
    registry = null;
    if (running != null) {
      steps.add(running::close);
    }
    steps.add(wan::close);
    steps.add(() -> inParallel(regions, SandboxRegion::stopBroker));
    steps.add(() -> inParallel(regions, region -> region.redis().stop()));
    steps.add(directory::close);
    for (Runnable step : steps) {
      try {
        step.run();
      } catch (RuntimeException | Error e) {
        // Every step is taken, whatever became of those before it.
        if (cause == null) {
          log.error("Part of the sandbox did not stop in order", e);
        } else {
          cause.addSuppressed(e);
        }
      }
    }
  }

  /** What is done to one region. */
  private interface RegionStep {
    void run(SandboxRegion region);
  }

  /** Does the same to all regions at once; the first failure is thrown when all have ended. */
  private static void inParallel(List<SandboxRegion> regions, RegionStep step) {
    if (regions.isEmpty()) {
      return;
    }
    ExecutorService threads = Executors.newFixedThreadPool(regions.size());
    try {
      List<CompletableFuture<Void>> all = new ArrayList<>();
      for (SandboxRegion region : regions) {
        all.add(CompletableFuture.runAsync(() -> step.run(region), threads));
      }
      CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof SandboxException sandbox) {
        throw sandbox;
      }
      throw new SandboxException("The sandbox failed: " + e.getCause() + ".", e.getCause());
    } finally {
      threads.shutdown();
    }
  }
}
