package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The rights that {@code docs/reference/security.md} names, for tests that give just these. */
final class SecurityDocument {
  private static final Path DOCUMENT = Path.of("..", "docs", "reference", "security.md");

  private SecurityDocument() {}

  /** A user's rights in Redis, as a line of its configuration with {@code PASSWORD} in it. */
  static String redis(String title) throws IOException {
    return block("acl: " + title).get(0);
  }

  /** Rights in Kafka, lines as {@code topic changes.REGION: Read, Describe}. */
  static List<String> kafka(String title) throws IOException {
    return block("kafka: " + title);
  }

  /** The code under {@code <!-- TITLE -->}. */
  private static List<String> block(String title) throws IOException {
    String text = Files.readString(DOCUMENT);
    String from = "<!-- " + title + " -->\n```\n";
    int at = text.indexOf(from);
    assertThat(at).as("%s has a block '%s'", DOCUMENT, title).isPositive();
    List<String> lines =
        text.substring(at + from.length(), text.indexOf("```", at + from.length()))
            .lines()
            .toList();
    assertThat(lines).isNotEmpty();
    return lines;
  }
}
