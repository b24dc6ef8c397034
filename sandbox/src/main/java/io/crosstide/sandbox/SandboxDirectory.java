package io.crosstide.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of one sandbox, locked for as long as it runs.
 *
 * <pre>
 * DIR/sandbox.lock         held by the running sandbox, with its pid
 * DIR/sandbox.properties   regions, partitions and ports
 * DIR/bin/                 the embedded Redis, if one was needed
 * DIR/&lt;region&gt;/kafka       log and metadata of the region's broker
 * DIR/&lt;region&gt;/redis       append-only file, configuration and log of its Redis
 * DIR/&lt;region&gt;/capture     for capture: shadow and position
 * DIR/&lt;region&gt;/streams     for streams: its stores
 * </pre>
 *
 * The lock is the operating system's: it goes with the process, however that ends.
 */
final class SandboxDirectory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SandboxDirectory.class);
  private static final String LOCK = "sandbox.lock";

  private final Path root;
  private final boolean temporary;
  private final FileChannel lockFile;
  private final FileLock lock;

  private SandboxDirectory(Path root, boolean temporary, FileChannel lockFile, FileLock lock) {
    this.root = root;
    this.temporary = temporary;
    this.lockFile = lockFile;
    this.lock = lock;
  }

  /**
   * Opens and locks {@code chosen}, or a temporary directory when it is null.
   *
   * @throws SandboxException it cannot be written, or another sandbox runs in it
   */
  static SandboxDirectory open(@Nullable Path chosen) {
    boolean temporary = chosen == null;
    Path root = null;
    try {
      root =
          chosen == null
              ? Files.createTempDirectory("crosstide-sandbox-")
              : Files.createDirectories(chosen.toAbsolutePath().normalize());
      FileChannel file =
          FileChannel.open(
              root.resolve(LOCK),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      FileLock lock = tryLock(root, file);
      file.truncate(0);
      file.write(
          ByteBuffer.wrap(
              String.valueOf(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
      return new SandboxDirectory(root, temporary, file, lock);
    } catch (IOException e) {
      throw new SandboxException(
          "Directory "
              + (root == null ? chosen : root)
              + " cannot be written ("
              + e
              + "): choose another with --dir.",
          e);
    }
  }

  Path root() {
    return root;
  }

  Path region(String name) {
    return root.resolve(name);
  }

  Path settings() {
    return root.resolve("sandbox.properties");
  }

  Path binaries() {
    return root.resolve("bin");
  }

  /** Unlocks it, and deletes a temporary one. */
  @Override
  public void close() {
    try {
      if (temporary) {
        deleteAll();
      }
      lock.release();
      lockFile.close();
    } catch (IOException | UncheckedIOException e) {
      log.warn("Directory {} cannot be tidied up: {}", root, e.getMessage());
    }
  }

  private static FileLock tryLock(Path root, FileChannel file) throws IOException {
    FileLock lock = null;
    try {
      lock = file.tryLock();
    } catch (OverlappingFileLockException here) {
      log.debug("Directory {} is locked by this very process", root);
    }
    if (lock == null) {
      String owner = Files.readString(root.resolve(LOCK), StandardCharsets.US_ASCII).strip();
      file.close();
      throw new SandboxException(
          "Directory "
              + root
              + " is in use by another running sandbox"
              + (owner.isEmpty() ? "" : " (pid " + owner + ")")
              + ": stop that one, or choose another with --dir.");
    }
    return lock;
  }

  private void deleteAll() throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
