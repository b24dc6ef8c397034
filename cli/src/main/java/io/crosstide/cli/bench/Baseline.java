package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.CliException;
import io.crosstide.cli.bench.Target.TargetRegion;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The same load on a plain primary with one plain replica: what Redis itself does. */
final class Baseline {
  /** Redis needs no warming up; its clients do, and are warm by then. */
  private static final Duration WARMUP_MAX = Duration.ofSeconds(5);

  private final Load load;
  private final @Nullable Path redisServer;
  private final ObjectMapper json;
  private final Consumer<String> progress;

  /**
   * @param redisServer program to use; null for the first one found
   */
  Baseline(Load load, @Nullable Path redisServer, ObjectMapper json, Consumer<String> progress) {
    this.load = load;
    this.redisServer = redisServer;
    this.json = json;
    this.progress = progress;
  }

  ObjectNode run() throws InterruptedException {
    Path directory = temporaryDirectory();
    try {
      return measure(directory);
    } finally {
      delete(directory);
    }
  }

  private ObjectNode measure(Path directory) throws InterruptedException {
    RedisBinary binary = RedisBinary.find(redisServer, directory.resolve("bin"));
    int[] ports = Ports.free(2);
    try (RedisProcess primary = start(binary, directory.resolve("primary"), ports[0], null);
        RedisProcess replica = start(binary, directory.resolve("replica"), ports[1], ports[0]);
        Clients clients = new Clients(Logins.NONE);
        RedisMeters meters = new RedisMeters()) {
      TargetRegion written = new TargetRegion("primary", URI.create(primary.uri()));
      TargetRegion read = new TargetRegion("replica", URI.create(replica.uri()));
      meters.add("primary", clients.connect(written));
      TokenClock clock = new TokenClock("baseline", clients.connect(written));
      TokenWatch watch = new TokenWatch("baseline", clock, clients.connect(read), 0);
      Writer writer =
          new Writer(
              "baseline",
              clients.connect(written),
              new CommandSource(load, "baseline", 1),
              load.ratePerSecond());
      try {
        writer.start();
        clock.start();
        watch.start();
        Duration warmup = load.warmup().compareTo(WARMUP_MAX) < 0 ? load.warmup() : WARMUP_MAX;
        progress.accept("baseline: a plain primary with a plain replica");
        TimeUnit.NANOSECONDS.sleep(warmup.toNanos());
        long cpuBefore = meters.cpuMicros().getOrDefault("primary", 0L);
        long writesBefore = writer.answered();
        long begin = System.nanoTime();
        watch.beginRecording();
        TimeUnit.NANOSECONDS.sleep(load.duration().toNanos());
        double seconds = (System.nanoTime() - begin) / 1e9;
        long writes = writer.answered() - writesBefore;
        long cpu = meters.cpuMicros().getOrDefault("primary", 0L) - cpuBefore;
        watch.endRecording();
        ObjectNode out = json.createObjectNode();
        out.put("writes_per_s", BenchRun.rounded(writes / seconds));
        out.put("redis_cpu_us_per_write", BenchRun.perOne(cpu, writes));
        out.set("lag_ms", LagJson.of(watch.lagMicros(), json));
        return out;
      } finally {
        writer.close();
        clock.close();
        watch.close();
      }
    }
  }

  private static RedisProcess start(
      RedisBinary binary, Path directory, int port, @Nullable Integer primaryPort) {
    RedisConfig config = new RedisConfig(binary, directory, port, false);
    if (primaryPort != null) {
      config = config.with("replicaof", "127.0.0.1 " + primaryPort);
    }
    RedisProcess process = new RedisProcess(config).start();
    process.awaitReady(Duration.ofSeconds(20));
    return process;
  }

  private static Path temporaryDirectory() {
    try {
      return Files.createTempDirectory("crosstide-baseline-");
    } catch (IOException e) {
      throw new CliException("no temporary directory for the baseline: " + e.getMessage(), e);
    }
  }

  private static void delete(Path directory) {
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
                throws IOException {
              Files.delete(visited);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new CliException("the baseline's directory stays behind: " + e.getMessage(), e);
    }
  }
}
