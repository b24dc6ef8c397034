package io.crosstide.control.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The result of reading a {@code crosstide.yaml}: the configuration if it can be used, and
 * everything worth saying about the file.
 *
 * @param config null if any problem is an error
 * @param problems in the order of the file
 */
public record ConfigFile(@Nullable CrosstideConfig config, List<Problem> problems) {
  /** A configuration larger than this is not one. Bytes. */
  private static final long FILE_BYTES_MAX = 4 * 1024 * 1024;

  public ConfigFile {
    problems = List.copyOf(problems);
  }

  /**
   * Reads and checks {@code file}.
   *
   * @throws IOException if it cannot be read
   */
  public static ConfigFile read(Path file) throws IOException {
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new IOException(
          file + " has more than " + FILE_BYTES_MAX + " bytes: not a crosstide.yaml");
    }
    Path directory = file.toAbsolutePath().getParent();
    return parse(
        file.toString(),
        Files.readString(file),
        directory == null ? Path.of("/") : directory,
        System.getenv());
  }

  /**
   * Checks {@code text}.
   *
   * @param name of the file, for messages
   * @param directory where relative {@code ${file:...}} references start
   */
  public static ConfigFile parse(
      String name, String text, Path directory, Map<String, String> environment) {
    Problems problems = new Problems();
    YamlNode root = new YamlReader(name, problems).read(text);
    CrosstideConfig config =
        root == null
            ? null
            : new ConfigReader(new References(directory, environment), problems).read(root);
    return new ConfigFile(problems.hasErrors() ? null : config, problems.all());
  }

  /**
   * The configuration.
   *
   * @throws ConfigException with every problem, if it cannot be used
   */
  public CrosstideConfig orThrow() throws ConfigException {
    CrosstideConfig usable = config;
    if (usable == null) {
      throw new ConfigException(problems);
    }
    return usable;
  }
}
