package io.crosstide.sandbox.redis;

import io.crosstide.sandbox.SandboxException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.embedded.core.ExecutableProvider;
import redis.embedded.model.OsArchitecture;

/**
 * A server program that the sandbox can start, and its version.
 *
 * @param path the executable
 * @param version what it says it is
 * @param embedded whether it came out of the embedded-redis library
 */
public record RedisBinary(Path path, RedisVersion version, boolean embedded) {
  private static final Logger log = LoggerFactory.getLogger(RedisBinary.class);
  private static final List<String> NAMES = List.of("redis-server", "valkey-server");
  private static final int VERSION_TIMEOUT_SECONDS = 10;

  /**
   * The program to use: {@code explicit} when given, else the first {@code redis-server} or {@code
   * valkey-server} on PATH that is recent enough, else the embedded one, extracted into {@code
   * extractDirectory}.
   *
   * @throws SandboxException {@code explicit} is missing, not such a server or too old; or nothing
   *     usable was found
   */
  public static RedisBinary find(@Nullable Path explicit, Path extractDirectory) {
    return find(explicit, extractDirectory, System.getenv("PATH"));
  }

  static RedisBinary find(
      @Nullable Path explicit, Path extractDirectory, @Nullable String searchPath) {
    if (explicit != null) {
      return explicitly(explicit);
    }
    for (Path candidate : onPath(searchPath)) {
      Optional<RedisVersion> version = askVersion(candidate);
      if (version.isPresent() && version.get().isSupported()) {
        return new RedisBinary(candidate, version.get(), false);
      }
      log.info(
          "{} is passed over: {}",
          candidate,
          version.map(RedisVersion::toString).orElse("no version known"));
    }
    return embedded(extractDirectory);
  }

  private static RedisBinary explicitly(Path path) {
    if (!Files.isExecutable(path) || Files.isDirectory(path)) {
      throw new SandboxException(
          "--redis-server "
              + path
              + " is not an executable file: name a redis-server or valkey-server 6.2 or newer.");
    }
    RedisVersion version =
        askVersion(path)
            .orElseThrow(
                () ->
                    new SandboxException(
                        "--redis-server "
                            + path
                            + " does not answer --version as Redis or Valkey does: name a "
                            + "redis-server or valkey-server 6.2 or newer."));
    if (!version.isSupported()) {
      throw new SandboxException(
          "--redis-server "
              + path
              + " is "
              + version
              + ", and Crosstide needs 6.2 or newer: leave the option out to "
              + "use the embedded one.");
    }
    return new RedisBinary(path, version, false);
  }

  /**
   * The server inside the embedded-redis library, extracted once into {@code directory}.
   *
   * @throws SandboxException there is none for this machine, or it cannot be written or run
   */
  public static RedisBinary embedded(Path directory) {
    String resource = embeddedResource();
    Path target = directory.resolve(resource);
    try {
      if (!Files.isExecutable(target)) {
        extract(resource, target);
      }
    } catch (IOException e) {
      throw new SandboxException(
          "The embedded Redis cannot be written to "
              + target
              + " ("
              + e.getMessage()
              + "): check space and rights.",
          e);
    }
    RedisVersion version =
        askVersion(target)
            .orElseThrow(
                () ->
                    new SandboxException(
                        "The embedded Redis "
                            + target
                            + " does not run on this machine: install redis-server 6.2 or "
                            + "newer, or name one with --redis-server."));
    return new RedisBinary(target, version, true);
  }

  private static String embeddedResource() {
    OsArchitecture machine;
    try {
      machine = OsArchitecture.detectOSandArchitecture();
    } catch (RuntimeException e) {
      throw noBinary(e);
    }
    Map<OsArchitecture, String> known = ExecutableProvider.newProvidedVersionsMap();
    String resource = known.get(machine);
    // The library's Windows build is Redis 5, too old for us.
    if (resource == null || resource.endsWith(".exe")) {
      throw noBinary(null);
    }
    return resource.startsWith("/") ? resource.substring(1) : resource;
  }

  private static SandboxException noBinary(@Nullable Throwable cause) {
    return new SandboxException(
        "No redis-server or valkey-server 6.2 or newer is on PATH, and none is embedded for "
            + System.getProperty("os.name")
            + " on "
            + System.getProperty("os.arch")
            + ": install one, or name it with --redis-server.",
        cause);
  }

  private static void extract(String resource, Path target) throws IOException {
    try (InputStream in = ExecutableProvider.class.getResourceAsStream("/" + resource)) {
      if (in == null) {
        throw noBinary(null);
      }
      Path directory = target.toAbsolutePath().getParent();
      if (directory == null) {
        throw new IOException("no directory to write to");
      }
      Files.createDirectories(directory);
      // Moved into place whole: a crash midway must not leave half a program under the final name.
      Path partial = Files.createTempFile(directory, "redis-server", ".partial");
      Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
      if (!partial.toFile().setExecutable(true)) {
        throw new IOException("cannot be made executable");
      }
      Files.move(
          partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static List<Path> onPath(@Nullable String searchPath) {
    List<Path> found = new ArrayList<>();
    if (searchPath == null) {
      return found;
    }
    for (String name : NAMES) {
      for (String directory : searchPath.split(File.pathSeparator, -1)) {
        Path candidate = Path.of(directory.isEmpty() ? "." : directory, name);
        if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
          found.add(candidate);
        }
      }
    }
    return found;
  }

  private static Optional<RedisVersion> askVersion(Path program) {
    try {
      Process process =
          new ProcessBuilder(program.toString(), "--version").redirectErrorStream(true).start();
      process.getOutputStream().close();
      try {
        if (!process.waitFor(VERSION_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
          log.warn("{} --version did not end within {} s", program, VERSION_TIMEOUT_SECONDS);
          return Optional.empty();
        }
        byte[] output = process.getInputStream().readNBytes(4096);
        return RedisVersion.parse(new String(output, StandardCharsets.UTF_8));
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      log.info("{} cannot be run: {}", program, e.getMessage());
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException("Interrupted while asking " + program + " for its version.", e);
    }
  }
}
