package io.crosstide.streams;

import io.crosstide.apply.ApplyConfig;
import io.crosstide.apply.RedisEndpoint;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A streams role in a JVM of its own, to be killed. */
final class RoleProcess {
  private final Process process;

  private RoleProcess(Process process) {
    this.process = process;
  }

  static RoleProcess start(StreamsRoleConfig config, Path log) throws IOException {
    StringBuilder regions = new StringBuilder();
    new TreeMap<>(config.regions())
        .forEach((name, id) -> regions.append(name).append('=').append(id).append(','));
    return new RoleProcess(
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    RoleProcess.class.getName(),
                    config.region(),
                    regions.toString(),
                    config.bootstrap(),
                    Integer.toString(config.redis().redis().port()),
                    Integer.toString(config.partitions()),
                    config.stateDir().toString()))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start());
  }

  void kill9() throws InterruptedException {
    process.destroyForcibly();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the role's process does not end on SIGKILL");
    }
  }

  public static void main(String[] args) throws Exception {
    Map<String, Integer> regions = new TreeMap<>();
    for (String region : args[1].split(",", 0)) {
      String[] nameAndId = region.split("=", -1);
      regions.put(nameAndId[0], Integer.parseInt(nameAndId[1]));
    }
    InMemorySchemaRegistry registry = new InMemorySchemaRegistry();
    // Gives the only schema the id that it has in the test's registry.
    new ChangeEventCodec(registry, Topics.changes(args[0])).register();
    StreamsRole role =
        new StreamsRole(
            StreamsRoleConfig.of(
                args[0],
                regions,
                args[2],
                ApplyConfig.of(args[0], RedisEndpoint.of("127.0.0.1", Integer.parseInt(args[3]))),
                Integer.parseInt(args[4]),
                new File(args[5]).toPath()),
            registry,
            new SimpleMeterRegistry(),
            Clock.systemUTC());
    role.start();
    // Ends with the test's JVM, should that die without having killed this one.
    ProcessHandle parent = ProcessHandle.current().parent().orElseThrow();
    parent.onExit().join();
    Runtime.getRuntime().halt(1);
  }
}
