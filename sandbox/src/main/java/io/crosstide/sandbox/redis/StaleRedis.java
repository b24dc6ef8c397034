package io.crosstide.sandbox.redis;

import io.crosstide.sandbox.SandboxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a Redis that an earlier sandbox left behind when it was killed together with its watcher.
 *
 * <p>A process is ended only if it is proven to be ours: the pid in the file is alive, and the
 * server that answers on the port says that it has this pid <em>and</em> was started from our
 * configuration file; or, when nothing answers there (it may be stuck loading or shutting down),
 * the process's command line names our configuration file. Pids are reused, and a port may belong
 * to somebody else's Redis by now.
 */
final class StaleRedis {
  private static final Logger log = LoggerFactory.getLogger(StaleRedis.class);
  private static final Duration GENTLE = Duration.ofSeconds(12);

  private StaleRedis() {}

  /** Ends what the pid file names, if it is ours, and waits for its end. */
  static void endIfOurs(Path pidFile, Path configFile, int port) {
    Optional<ProcessHandle> named =
        read(pidFile).flatMap(ProcessHandle::of).filter(ProcessHandle::isAlive);
    if (named.isEmpty()) {
      return;
    }
    ProcessHandle process = named.get();
    if (!isOurs(process, configFile, port)) {
      log.info(
          "Process {} of {} is not our Redis any more and is left alone", process.pid(), pidFile);
      return;
    }
    log.warn("Redis process {} of an earlier run is still there: ending it", process.pid());
    end(process);
  }

  private static void end(ProcessHandle process) {
    process.destroy();
    if (!awaitExit(process)) {
      process.destroyForcibly();
      if (!awaitExit(process)) {
        throw new SandboxException(
            "Redis process "
                + process.pid()
                + " of an earlier run does not end: kill it, then start again.");
      }
    }
  }

  private static boolean awaitExit(ProcessHandle process) {
    try {
      process.onExit().get(GENTLE.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new SandboxException("Cannot wait for the end of process " + process.pid() + ".", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException(
          "Interrupted while ending Redis process " + process.pid() + ".", e);
    }
  }

  private static boolean isOurs(ProcessHandle process, Path configFile, int port) {
    try {
      boolean samePid = RedisProbe.info(port, "process_id").equals(String.valueOf(process.pid()));
      return samePid && RedisProbe.info(port, "config_file").equals(configFile.toString());
    } catch (IOException silent) {
      // Linux: Redis rewrites its title, "redis-server 127.0.0.1:7101", and keeps no trace of the
      // file there.
      String commandLine = process.info().commandLine().orElse("");
      return commandLine.contains(configFile.toString())
          || commandLine.matches(".*(redis|valkey)-server\\S* 127\\.0\\.0\\.1:" + port + "\\b.*");
    }
  }

  private static Optional<Long> read(Path pidFile) {
    try {
      if (!Files.exists(pidFile)) {
        return Optional.empty();
      }
      return Optional.of(
          Long.parseLong(Files.readString(pidFile, StandardCharsets.US_ASCII).strip()));
    } catch (NumberFormatException cutShort) {
      log.info("{} holds no pid and is ignored", pidFile);
      return Optional.empty();
    } catch (IOException e) {
      throw new SandboxException(
          "Pid file " + pidFile + " cannot be read: " + e.getMessage() + ".", e);
    }
  }
}
