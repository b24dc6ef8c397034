package io.crosstide.sandbox.redis;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How to start a child outside the terminal's process group.
 *
 * <p>Ctrl-C goes to every process of that group. Redis would stop at once, while its region's other
 * stages still drain; it must stop when the sandbox says so. Linux has {@code setsid}; without it
 * (macOS) Redis gets the Ctrl-C too, which costs nothing but the order of things.
 */
final class SessionLeader {
  private static final List<String> PREFIX = findPrefix();

  private SessionLeader() {}

  /** Command words to put before a command; empty when the system has no such program. */
  static List<String> prefix() {
    return PREFIX;
  }

  private static List<String> findPrefix() {
    String searchPath = System.getenv("PATH");
    if (searchPath == null) {
      return List.of();
    }
    for (String directory : searchPath.split(File.pathSeparator, -1)) {
      Path candidate = Path.of(directory, "setsid");
      if (Files.isExecutable(candidate)) {
        return List.of(candidate.toString());
      }
    }
    return List.of();
  }
}
