package io.crosstide.apply;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Reads the commands of a Redis's append-only file: what the replication stream shows, in the same
 * order. The Redis runs with {@link #SETTINGS}.
 */
final class AofReader {
  static final String[] SETTINGS = {
    "--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"
  };

  private final byte[] bytes;
  private int at;

  private AofReader(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Every command so far, as text. */
  static List<List<String>> read(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.walk(directory)) {
      files = found.filter(file -> file.toString().endsWith(".aof")).sorted().toList();
    }
    List<List<String>> commands = new ArrayList<>();
    for (Path file : files) {
      commands.addAll(new AofReader(Files.readAllBytes(file)).commands());
    }
    return commands;
  }

  private List<List<String>> commands() {
    List<List<String>> commands = new ArrayList<>();
    while (at < bytes.length) {
      int parts = length('*');
      List<String> command = new ArrayList<>(parts);
      for (int i = 0; i < parts; i++) {
        int length = length('$');
        command.add(new String(bytes, at, length, StandardCharsets.UTF_8));
        at += length + 2;
      }
      commands.add(command);
    }
    return commands;
  }

  private int length(char type) {
    if (bytes[at] != type) {
      throw new IllegalStateException("expected " + type + " at byte " + at);
    }
    int length = 0;
    for (at++; bytes[at] != '\r'; at++) {
      length = length * 10 + bytes[at] - '0';
    }
    at += 2;
    return length;
  }
}
