package io.crosstide.e2e;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.cli.Crosstide;
import io.crosstide.sandbox.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * {@code crosstide sandbox} in a JVM of its own, started the way a user starts it. Whatever it
 * leaves behind is killed at the end.
 */
final class SandboxProcess implements AutoCloseable {
  static final int PARTITIONS = 2;

  private static final Duration START = Duration.ofMinutes(4);
  private static final Duration STOP = Duration.ofSeconds(60);
  private static final int LOG_LINES_SHOWN = 40;

  private final Process process;
  private final Path directory;
  private final JsonNode ready;

  private SandboxProcess(Process process, Path directory) throws IOException {
    this.process = process;
    this.directory = directory;
    awaitReady();
    this.ready = new ObjectMapper().readTree(readyFile().toFile());
  }

  /**
   * Starts regions r1, r2, ... whose ids are 1, 2, ... and waits until clients can write.
   *
   * @param directory for all data; a later start there goes on with them
   */
  static SandboxProcess start(Path directory, int regions) {
    int[] ports = Ports.free(regions + 1);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Short runs: the second compiler would take more than it gives.
    command.addAll(List.of("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Crosstide.class.getName(), "sandbox"));
    command.addAll(
        List.of(
            "--regions",
            IntStream.rangeClosed(1, regions).mapToObj(id -> "r" + id).collect(joined()),
            "--redis-ports",
            Arrays.stream(ports).limit(regions).mapToObj(Integer::toString).collect(joined()),
            "--http-port",
            Integer.toString(ports[regions]),
            "--partitions",
            Integer.toString(PARTITIONS),
            "--wan-latency",
            "2ms",
            "--dir",
            directory.resolve("data").toString(),
            "--ready-file",
            directory.resolve("ready.json").toString()));
    try {
      Files.deleteIfExists(directory.resolve("ready.json"));
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(directory.resolve("out").toFile())
              .redirectError(directory.resolve("err").toFile())
              .start();
      return new SandboxProcess(process, directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static java.util.stream.Collector<CharSequence, ?, String> joined() {
    return Collectors.joining(",");
  }

  private Path readyFile() {
    return directory.resolve("ready.json");
  }

  private void awaitReady() {
    await("the sandbox is ready")
        .atMost(START)
        .pollInterval(Duration.ofMillis(100))
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new AssertionError("it ended with " + process.exitValue() + "\n" + logTail());
              }
              return Files.exists(readyFile());
            });
  }

  /** What the ready file says: {@code http} and {@code regions}. */
  JsonNode ready() {
    return ready;
  }

  /** The last things it said, for failed tests. */
  String logTail() {
    return tail(directory.resolve("err")) + tail(directory.resolve("data/sandbox.log"));
  }

  private static String tail(Path file) {
    if (!Files.exists(file)) {
      return file + " does not exist\n";
    }
    try {
      List<String> lines = Files.readAllLines(file);
      int from = Math.max(0, lines.size() - LOG_LINES_SHOWN);
      return file + ":\n  " + String.join("\n  ", lines.subList(from, lines.size())) + "\n";
    } catch (IOException e) {
      return file + " cannot be read: " + e + "\n";
    }
  }

  /** Ends the JVM with SIGKILL; its Redis servers go with it, which is waited for. */
  void kill9() {
    List<ProcessHandle> all = process.descendants().toList();
    process.destroyForcibly();
    awaitGone(all);
  }

  private void awaitGone(List<ProcessHandle> children) {
    await("no process of the sandbox is left")
        .atMost(STOP)
        .until(() -> !process.isAlive() && children.stream().noneMatch(ProcessHandle::isAlive));
  }

  /** Stops it as Ctrl-C does; fails if it leaves a process behind. */
  @Override
  public void close() {
    List<ProcessHandle> children = process.descendants().toList();
    try {
      process.destroy();
      if (!process.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("it goes on after SIGTERM\n" + logTail());
      }
      awaitGone(children);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      children.forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
