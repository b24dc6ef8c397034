package io.crosstide.capture;

import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Capture in a JVM of its own, to be killed. */
final class CaptureProcess {
  private CaptureProcess() {}

  /** Starts it; the child ends with {@code kill -9} only, or when it fails. */
  static Process start(CaptureConfig config, Path output) throws IOException {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                CaptureProcess.class.getName(),
                config.region(),
                Integer.toString(config.redis().port()),
                String.valueOf(config.kafka().get("bootstrap.servers")),
                Integer.toString(config.partitions()),
                config.dataDir().toString(),
                Long.toString(ProcessHandle.current().pid())))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(output.toString())))
        .start();
  }

  public static void main(String[] args) {
    CaptureAgent agent =
        new CaptureAgent(
            CaptureConfig.of(
                args[0],
                1,
                RedisEndpoint.parse("redis://127.0.0.1:" + args[1]),
                Map.of("bootstrap.servers", args[2]),
                Integer.parseInt(args[3]),
                Path.of(args[4])),
            new InMemorySchemaRegistry());
    agent.start();
    // Does not outlive the test that started it.
    ProcessHandle.of(Long.parseLong(args[5])).ifPresent(parent -> parent.onExit().join());
    Runtime.getRuntime().halt(0);
  }
}
