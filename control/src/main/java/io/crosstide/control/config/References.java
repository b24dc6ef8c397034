package io.crosstide.control.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Resolves {@code ${env:NAME}} and {@code ${file:path}} in values. Relative paths start at the
 * configuration file's directory; one line end at the file's end is dropped.
 */
final class References {
  /** A file of a secret is small; a larger one is the wrong file. Bytes. */
  private static final long FILE_BYTES_MAX = 64 * 1024;

  private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}:]*)(?::([^}]*))?}");

  private final Path directory;
  private final Map<String, String> environment;

  References(Path directory, Map<String, String> environment) {
    this.directory = directory;
    this.environment = environment;
  }

  /** Where relative paths of the file begin. */
  Path directory() {
    return directory;
  }

  /**
   * @param text null if a reference could not be resolved, which has then been reported
   * @param indirect whether any part came from elsewhere
   */
  record Resolved(@Nullable String text, boolean indirect) {}

  Resolved resolve(YamlNode.Scalar scalar, Problems problems) {
    Matcher matcher = REFERENCE.matcher(scalar.text());
    StringBuilder out = new StringBuilder();
    boolean indirect = false;
    boolean failed = false;
    while (matcher.find()) {
      indirect = true;
      String kind = matcher.group(1);
      String name = matcher.group(2) == null ? "" : matcher.group(2);
      String value =
          switch (kind) {
            case "env" -> environmentValue(scalar.place(), name, problems);
            case "file" -> fileContent(scalar.place(), name, problems);
            default -> {
              problems.error(
                  scalar.place(),
                  "'"
                      + matcher.group()
                      + "' is not a reference: write ${env:NAME} or ${file:path}");
              yield null;
            }
          };
      failed |= value == null;
      matcher.appendReplacement(out, Matcher.quoteReplacement(value == null ? "" : value));
    }
    matcher.appendTail(out);
    return new Resolved(failed ? null : out.toString(), indirect);
  }

  private @Nullable String environmentValue(Place place, String name, Problems problems) {
    String value = environment.get(name);
    if (value == null) {
      problems.error(
          place, "the environment variable " + name + " is not set: set it before starting");
    } else if (value.isEmpty()) {
      problems.error(place, "the environment variable " + name + " is empty");
      return null;
    }
    return value;
  }

  private @Nullable String fileContent(Place place, String name, Problems problems) {
    try {
      Path path = directory.resolve(name);
      if (Files.size(path) > FILE_BYTES_MAX) {
        problems.error(
            place, "the file " + name + " has more than " + FILE_BYTES_MAX + " bytes: no secret");
        return null;
      }
      String text = Files.readString(path);
      String value = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
      value = value.endsWith("\r") ? value.substring(0, value.length() - 1) : value;
      if (value.isEmpty()) {
        problems.error(place, "the file " + name + " is empty");
        return null;
      }
      return value;
    } catch (NoSuchFileException e) {
      problems.error(place, "the file " + name + " does not exist (looked in " + directory + ")");
    } catch (IOException | InvalidPathException e) {
      problems.error(place, "the file " + name + " cannot be read: " + e.getMessage());
    }
    return null;
  }
}
