package io.crosstide.sandbox;

import io.crosstide.sandbox.redis.RedisVersion;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * What a sandbox directory remembers: the regions and partitions that its data were made with, and
 * the ports of its last run. Confined to the starting thread.
 */
final class SandboxSettings {
  private static final String REGIONS = "regions";
  private static final String PARTITIONS = "partitions";
  private static final String REDIS_VERSION = "redis.version";

  private final Path file;
  private final Properties properties;
  private final boolean continued;

  private SandboxSettings(Path file, Properties properties, boolean continued) {
    this.file = file;
    this.properties = properties;
    this.continued = continued;
  }

  /**
   * Reads what {@code directory} remembers, and checks that {@code config} fits it.
   *
   * @throws SandboxException it holds data of other regions or another number of partitions
   */
  static SandboxSettings open(SandboxDirectory directory, InfrastructureConfig config) {
    Path file = directory.settings();
    Properties properties = new Properties();
    boolean continued = Files.exists(file);
    if (continued) {
      try (Reader in = Files.newBufferedReader(file)) {
        properties.load(in);
      } catch (IOException | IllegalArgumentException e) {
        throw new SandboxException(
            "File " + file + " cannot be read (" + e.getMessage() + "): choose another --dir.", e);
      }
    }
    SandboxSettings settings = new SandboxSettings(file, properties, continued);
    settings.require(directory, REGIONS, "--regions", regions(config.regions()));
    settings.require(directory, PARTITIONS, "--partitions", String.valueOf(config.partitions()));
    return settings;
  }

  /**
   * Checks that the Redis to be started can read the data of the one before, and remembers it. An
   * older one would find files it does not know and start empty.
   *
   * @throws SandboxException it is older
   */
  void redisVersion(SandboxDirectory directory, RedisVersion version) {
    String stored = properties.getProperty(REDIS_VERSION, "");
    if (stored.matches("\\d{1,4}\\.\\d{1,4}")) {
      int dot = stored.indexOf('.');
      int major = Integer.parseInt(stored.substring(0, dot));
      int minor = Integer.parseInt(stored.substring(dot + 1));
      if (!version.isAtLeast(major, minor)) {
        throw new SandboxException(
            "Directory "
                + directory.root()
                + " holds data of Redis "
                + stored
                + ", which "
                + version
                + " may not read: name the same or a newer one with --redis-server.");
      }
    }
    properties.setProperty(REDIS_VERSION, version.major() + "." + version.minor());
  }

  /** Whether there was a sandbox in this directory before. */
  boolean continued() {
    return continued;
  }

  /**
   * The port used last time for {@code purpose} if it is still free, else a free one; remembered.
   */
  int port(String purpose) {
    String key = "port." + purpose;
    int port = 0;
    try {
      port = Integer.parseInt(properties.getProperty(key, "0"));
    } catch (NumberFormatException edited) {
      // Somebody's hand; ports may be chosen anew at any start.
      port = 0;
    }
    if (port <= 0 || port > 65_535 || !Ports.isFree(port) || isTaken(key, port)) {
      do {
        port = Ports.free();
      } while (isTaken(key, port));
    }
    properties.setProperty(key, String.valueOf(port));
    return port;
  }

  /** Remembers a port that was asked for. */
  void port(String purpose, int port) {
    properties.setProperty("port." + purpose, String.valueOf(port));
  }

  void store() {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    try (Writer out = Files.newBufferedWriter(partial)) {
      properties.store(out, "Written by crosstide sandbox at each start.");
    } catch (IOException e) {
      throw new SandboxException(
          "File "
              + partial
              + " cannot be written ("
              + e.getMessage()
              + "): choose another directory with --dir.",
          e);
    }
    try {
      Files.move(
          partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new SandboxException(
          "File "
              + file
              + " cannot be written ("
              + e.getMessage()
              + "): choose another directory with --dir.",
          e);
    }
  }

  private boolean isTaken(String key, int port) {
    String text = String.valueOf(port);
    return properties.entrySet().stream()
        .anyMatch(
            e ->
                e.getKey().toString().startsWith("port.")
                    && !e.getKey().equals(key)
                    && e.getValue().equals(text));
  }

  private void require(SandboxDirectory directory, String key, String option, String wanted) {
    String stored = properties.getProperty(key);
    if (stored != null && !stored.equals(wanted)) {
      throw new SandboxException(
          "Directory "
              + directory.root()
              + " holds a sandbox made with "
              + option
              + " "
              + stored
              + ", not "
              + wanted
              + ": start it as before, or choose another with --dir.");
    }
    properties.setProperty(key, wanted);
  }

  private static String regions(List<InfrastructureConfig.Region> regions) {
    boolean usual = true;
    for (int i = 0; i < regions.size(); i++) {
      usual &= regions.get(i).id() == i + 1;
    }
    boolean plain = usual;
    return regions.stream()
        .map(r -> plain ? r.name() : r.name() + ":" + r.id())
        .collect(Collectors.joining(","));
  }
}
