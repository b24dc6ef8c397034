package io.crosstide.sandbox.redis;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Redis (or Valkey) server as a child process.
 *
 * <p>The child never outlives the sandbox: {@link #stop()} ends it in order, a {@link Watcher} ends
 * it when this JVM is killed, and what survives even that (both killed at once) is found by its pid
 * file and ended at the next start. It may be started again after {@link #stop()} or {@link
 * #kill9()}; with {@link RedisConfig#persistent()} it then goes on with its data. Safe for use by
 * several threads.
 */
public final class RedisProcess implements AutoCloseable {
  static final String LOG_FILE = "redis.log";
  private static final Logger log = LoggerFactory.getLogger(RedisProcess.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(15);
  private static final Duration POLL = Duration.ofMillis(10);
  private static final int LOG_TAIL_BYTES = 2_000;

  private final RedisConfig config;
  private final Path configFile;
  private final Path pidFile;
  private @Nullable Process process;
  private @Nullable Watcher watcher;

  public RedisProcess(RedisConfig config) {
    this.config = config;
    this.configFile = config.directory().resolve("redis.conf");
    this.pidFile = config.directory().resolve("redis.pid");
  }

  /**
   * A started and ready Redis on a free port, from PATH or embedded, without persistence: what most
   * tests need.
   */
  public static RedisProcess startOnFreePort(Path directory) {
    RedisBinary binary = RedisBinary.find(null, directory.resolve("bin"));
    RedisProcess redis = new RedisProcess(new RedisConfig(binary, directory, Ports.free(), false));
    redis.start();
    redis.awaitReady(Duration.ofSeconds(20));
    return redis;
  }

  /**
   * Starts the process; it serves clients once {@link #awaitReady} returns.
   *
   * @throws SandboxException the port is taken, the directory cannot be written, or the program
   *     cannot be run
   */
  public synchronized RedisProcess start() {
    if (isRunning()) {
      throw new IllegalStateException("Redis on port " + config.port() + " runs already.");
    }
    try {
      Files.createDirectories(config.directory());
      StaleRedis.endIfOurs(pidFile, configFile, config.port());
      if (!Ports.becomesFree(config.port(), Ports.PATIENCE)) {
        throw new SandboxException(
            "Port "
                + config.port()
                + " (Redis) is in use on 127.0.0.1: stop what holds it, or choose other ports with "
                + "--redis-ports.");
      }
      Files.writeString(configFile, config.toFile());
      List<String> command = new ArrayList<>(SessionLeader.prefix());
      command.add(config.binary().path().toAbsolutePath().toString());
      command.add(configFile.toString());
      Process started =
          new ProcessBuilder(command)
              .directory(config.directory().toFile())
              .redirectErrorStream(true)
              .redirectOutput(config.directory().resolve("redis.out").toFile())
              .start();
      process = started;
      started.getOutputStream().close();
      // setsid replaces itself by the server, so this is the server's own pid.
      watcher = Watcher.over(started.pid());
      Files.writeString(pidFile, String.valueOf(started.pid()), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      kill9();
      throw new SandboxException(
          "Redis cannot be started in " + config.directory() + ": " + e.getMessage() + ".", e);
    }
    return this;
  }

  /**
   * Waits until Redis has loaded its data and answers.
   *
   * @throws SandboxException it ended, with the last lines of its log, or is not ready in time
   */
  public void awaitReady(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    String last = "no answer";
    while (true) {
      Process current = current();
      if (current == null || !current.isAlive()) {
        throw new SandboxException(
            "Redis on port "
                + config.port()
                + " ended while starting: "
                + logTail()
                + " ("
                + logFile()
                + ").");
      }
      try {
        last = RedisProbe.ping(config.port());
        if (last.equals("+PONG") || last.startsWith("-NOAUTH")) {
          return;
        }
      } catch (IOException e) {
        last = String.valueOf(e.getMessage());
      }
      if (System.nanoTime() > deadline) {
        throw new SandboxException(
            "Redis on port "
                + config.port()
                + " is not ready after "
                + timeout.toSeconds()
                + " s ("
                + last
                + "): see "
                + logFile()
                + ".");
      }
      waitForExit(current, POLL);
    }
  }

  /**
   * Kills the process as a crash would: nothing is flushed, clients see their connections reset.
   */
  public synchronized void kill9() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      if (!waitForExit(running, STOP_TIMEOUT)) {
        throw new SandboxException("Redis process " + running.pid() + " does not end on SIGKILL.");
      }
    }
    release();
  }

  /**
   * Ends the process in order, by force if it does not follow; returns when it is gone. Harmless
   * when repeated.
   */
  public synchronized void stop() {
    Process running = process;
    if (running != null && running.isAlive()) {
      running.destroy();
      if (!waitForExit(running, STOP_TIMEOUT)) {
        log.warn(
            "Redis process {} did not end on SIGTERM within {} s: killing it",
            running.pid(),
            STOP_TIMEOUT.toSeconds());
        kill9();
        return;
      }
    }
    release();
  }

  @Override
  public void close() {
    stop();
  }

  /** Whether the process is alive, ready or not. */
  public synchronized boolean isRunning() {
    Process running = process;
    return running != null && running.isAlive();
  }

  /** Pid of the server; 0 when it was never started or was stopped. */
  public synchronized long pid() {
    Process running = process;
    return running == null ? 0 : running.pid();
  }

  /** Pid of the shell that ends the server when this JVM dies; 0 when there is none. */
  public synchronized long watcherPid() {
    Watcher watching = watcher;
    return watching == null ? 0 : watching.pid();
  }

  public int port() {
    return config.port();
  }

  /** Address for clients, as {@code redis://127.0.0.1:port}. */
  public String uri() {
    return "redis://127.0.0.1:" + config.port();
  }

  public RedisConfig config() {
    return config;
  }

  /** What starts the server by hand, for people. */
  public String command() {
    return config.binary().path().toAbsolutePath() + " " + configFile;
  }

  public Path logFile() {
    return config.directory().resolve(LOG_FILE);
  }

  private synchronized @Nullable Process current() {
    return process;
  }

  private synchronized void release() {
    process = null;
    Watcher watching = watcher;
    watcher = null;
    if (watching != null) {
      watching.close();
    }
    try {
      Files.deleteIfExists(pidFile);
    } catch (IOException e) {
      log.warn("Pid file {} cannot be deleted: {}", pidFile, e.getMessage());
    }
  }

  private static boolean waitForExit(Process process, Duration timeout) {
    try {
      return process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException(
          "Interrupted while waiting for Redis process " + process.pid() + ".", e);
    }
  }

  private String logTail() {
    try {
      StringBuilder text = new StringBuilder();
      for (String name : List.of("redis.out", LOG_FILE)) {
        Path file = config.directory().resolve(name);
        if (Files.exists(file)) {
          text.append(Files.readString(file, StandardCharsets.ISO_8859_1));
        }
      }
      String all = text.toString().strip();
      String tail = all.substring(Math.max(0, all.length() - LOG_TAIL_BYTES));
      List<String> lines = tail.lines().toList();
      return String.join(" | ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    } catch (IOException e) {
      return "its log cannot be read: " + e.getMessage();
    }
  }
}
