package io.crosstide.sandbox.redis;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Settings of one Redis process.
 *
 * @param binary the program
 * @param directory working directory: configuration, log, pid file and, when persistent, the
 *     append-only file
 * @param port port on 127.0.0.1
 * @param persistent whether data survive a restart (append-only file, fsync every second)
 * @param overrides directives that win over everything chosen here, by name
 */
public record RedisConfig(
    RedisBinary binary,
    Path directory,
    int port,
    boolean persistent,
    Map<String, String> overrides) {

  public RedisConfig {
    Objects.requireNonNull(binary, "binary");
    directory = directory.toAbsolutePath();
    overrides = Map.copyOf(overrides);
  }

  public RedisConfig(RedisBinary binary, Path directory, int port, boolean persistent) {
    this(binary, directory, port, persistent, Map.of());
  }

  /** The same with one directive set to {@code value}. */
  public RedisConfig with(String directive, String value) {
    Map<String, String> more = new LinkedHashMap<>(overrides);
    more.put(directive, value);
    return new RedisConfig(binary, directory, port, persistent, more);
  }

  /** Text of the configuration file. */
  String toFile() {
    Map<String, String> d = new LinkedHashMap<>();
    d.put("bind", "127.0.0.1");
    d.put("protected-mode", "yes");
    d.put("port", String.valueOf(port));
    d.put("dir", quote(directory.toString()));
    d.put("daemonize", "no");
    d.put("pidfile", "\"\"");
    d.put("logfile", quote(directory.resolve(RedisProcess.LOG_FILE).toString()));
    d.put("loglevel", "notice");
    d.put("databases", "16");
    d.put("save", "\"\"");
    d.put("appendonly", persistent ? "yes" : "no");
    // Every write is handed to the kernel before it is answered or replicated, so that a Redis
    // killed
    // with -9 comes back with all of it. With everysec the hand-over waits for a running fsync, and
    // a
    // killed Redis comes back older than what its replicas read. Only a machine that dies loses
    // data.
    d.put("appendfsync", "no");
    // A rewrite takes a core for half a second, of the few that all regions share; at the default,
    // 64 MB, there is one every 40 s at 5,000 small writes/s. A start reads 256 MB in 2 s.
    d.put("auto-aof-rewrite-min-size", "256mb");
    // Capture attaches once at start; waiting for further replicas (5 s by default) would only
    // delay it.
    d.put("repl-diskless-sync", "yes");
    d.put("repl-diskless-sync-delay", "0");
    // What capture may miss while it is away before a full resync: 200 s of 5,000 small writes/s,
    // 25 s at 40,000/s.
    // Redis 7 allocates it as it fills; 6.2 reserves the address space at once.
    d.put("repl-backlog-size", "256mb");
    d.put("repl-backlog-ttl", "0");
    d.put("repl-timeout", "60");
    // Capture reads no faster than Kafka takes: give it room for the largest value (512 MB) and for
    // a pause, and let
    // Redis drop it, rather than grow without bound, beyond that.
    d.put("client-output-buffer-limit", "replica 1gb 512mb 120");
    if (binary.version().isAtLeast(7, 0)) {
      // A capture that is away must not hold up the end of the sandbox.
      d.put("shutdown-timeout", "1");
    }
    overrides.forEach(d::put);

    StringBuilder text =
        new StringBuilder("# Written by crosstide sandbox at each start; changes here are lost.\n");
    d.forEach((name, value) -> text.append(name).append(' ').append(value).append('\n'));
    return text.toString();
  }

  private static String quote(String path) {
    return '"' + path.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
