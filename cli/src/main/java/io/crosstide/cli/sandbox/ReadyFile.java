package io.crosstide.cli.sandbox;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.CliException;
import io.crosstide.control.config.CrosstideConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Tells a program that started a sandbox where everything is, once clients can write. */
final class ReadyFile {
  private ReadyFile() {}

  /** Whoever sees the file sees all of it: it is written beside its place and moved there. */
  static void write(Path file, URI http, List<CrosstideConfig.Region> regions) {
    ObjectNode out = new ObjectMapper().createObjectNode();
    out.put("pid", ProcessHandle.current().pid());
    out.put("http", http.toString());
    ArrayNode all = out.putArray("regions");
    for (CrosstideConfig.Region region : regions) {
      all.addObject()
          .put("name", region.name())
          .put("id", region.id())
          .put("redis", region.redis().uri().toString())
          .put("kafka", region.kafka().bootstrap())
          .put("registry", region.registry().url().toString());
    }
    Path absolute = file.toAbsolutePath();
    Path partial = absolute.resolveSibling(absolute.getFileName() + ".partial");
    try {
      Files.writeString(partial, out + "\n");
      Files.move(partial, absolute, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new CliException("the ready file " + file + " cannot be written: " + e, e);
    }
  }

  /**
   * Refuses a file that could not be written later.
   *
   * @throws CliException if its directory is missing or may not be written
   */
  static void requireWritable(Path file) {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory) || !Files.isWritable(directory)) {
      throw new CliException(
          "the ready file "
              + file
              + " cannot be written: there is no directory "
              + directory
              + " that may be written. Create it first.");
    }
  }

  /** Removes what an earlier run left, so that nobody takes it for this one's. */
  static void removeOld(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new CliException("the ready file " + file + " cannot be replaced: " + e, e);
    }
  }
}
