package io.crosstide.streams;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/**
 * The name by which Kafka knows a streams instance again: kept beside its rows, so that an instance
 * that is started again takes its own partitions back at once, whatever became of the one before,
 * while others' wait for its session to end.
 */
final class InstanceId {
  private static final String FILE = "instance-id";

  private InstanceId() {}

  /**
   * That of the instance whose state directory this is; a new one if it has none yet.
   *
   * @throws UncheckedIOException if the directory cannot be written
   */
  static String of(Path stateDir) {
    Path file = stateDir.resolve(FILE);
    try {
      Files.createDirectories(stateDir);
      String kept = read(file);
      if (!kept.isEmpty()) {
        return kept;
      }
      String fresh = UUID.randomUUID().toString();
      Path written = Files.writeString(stateDir.resolve(FILE + ".new"), fresh);
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
      return fresh;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The state directory " + stateDir + " cannot be written: " + e.getMessage() + ".", e);
    }
  }

  /** Empty if there is none, or a crash has left an empty one. */
  private static String read(Path file) throws IOException {
    try {
      return Files.readString(file, StandardCharsets.US_ASCII).strip();
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
