package io.crosstide.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * README, CHANGELOG and {@code docs}: nothing is left to fill in, and what they refer to exists.
 */
class DocumentsTest {
  private static final Path ROOT = Path.of("..");

  /** A figure that a measurement was to fill in. */
  private static final Pattern PLACEHOLDER = Pattern.compile("@[A-Z][A-Z0-9_]*@");

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern CODE = Pattern.compile("`[^`]*`");
  private static final Pattern TEST = Pattern.compile("`([A-Z]\\w*[a-z](?:IT|Test|Properties))`");
  private static final Pattern HEADING = Pattern.compile("#{1,6} +(.+)");

  @TempDir Path directory;

  @Test
  void nothingIsLeftToFillIn() throws IOException {
    assertThat(placeholders(documents(ROOT))).isEmpty();
  }

  @Test
  void everyLinkLeadsSomewhere() throws IOException {
    assertThat(deadLinks(documents(ROOT))).isEmpty();
  }

  @Test
  void everyTestThatIsNamedExists() throws IOException {
    Set<String> names;
    try (Stream<Path> files = Files.walk(ROOT)) {
      names =
          files
              .filter(file -> file.toString().contains("/src/test/java/"))
              .map(file -> file.getFileName().toString().replace(".java", ""))
              .collect(Collectors.toSet());
    }
    List<String> missing = new ArrayList<>();
    for (Path document : documents(ROOT)) {
      for (Matcher named = TEST.matcher(Files.readString(document)); named.find(); ) {
        if (!names.contains(named.group(1))) {
          missing.add(document + " names " + named.group(1));
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void whatIsWrongIsFound() throws IOException {
    Files.writeString(
        directory.resolve("README.md"),
        """
        # A `title`, with more
        [here](#a-title-with-more) [there](docs/other.md#below) [out](https://example.org/x)
        `[code](nowhere.md)` and @P99_MS@ but not mail@HOST.
        ```
        # no heading
        [fenced](nowhere.md)
        ```
        [dead](docs/none.md) [dead, too](docs/other.md#above) [and](#no-heading)
        """);
    Files.createDirectories(directory.resolve("docs"));
    Files.writeString(directory.resolve("docs/other.md"), "## Below\n[up](../README.md)\n");
    List<Path> documents = documents(directory);
    assertThat(documents).hasSize(2);
    assertThat(placeholders(documents)).singleElement().asString().contains("3", "@P99_MS@");
    assertThat(deadLinks(documents))
        .hasSize(3)
        .anyMatch(line -> line.contains("docs/none.md"))
        .anyMatch(line -> line.contains("docs/other.md#above"))
        .anyMatch(line -> line.contains("#no-heading"));
  }

  private static List<Path> documents(Path root) throws IOException {
    List<Path> documents = new ArrayList<>();
    for (String name : List.of("README.md", "CHANGELOG.md")) {
      if (Files.exists(root.resolve(name))) {
        documents.add(root.resolve(name));
      }
    }
    try (Stream<Path> files = Files.walk(root.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
    }
    return documents;
  }

  private static List<String> placeholders(List<Path> documents) throws IOException {
    List<String> found = new ArrayList<>();
    for (Path document : documents) {
      List<String> lines = Files.readAllLines(document);
      for (int i = 0; i < lines.size(); i++) {
        for (Matcher matcher = PLACEHOLDER.matcher(lines.get(i)); matcher.find(); ) {
          found.add(document + " line " + (i + 1) + ": " + matcher.group());
        }
      }
    }
    return found;
  }

  private static List<String> deadLinks(List<Path> documents) throws IOException {
    List<String> dead = new ArrayList<>();
    for (Path document : documents) {
      for (String line : prose(document)) {
        for (Matcher link = LINK.matcher(CODE.matcher(line).replaceAll("")); link.find(); ) {
          if (!leadsSomewhere(document, link.group(1))) {
            dead.add(document + ": " + link.group(1));
          }
        }
      }
    }
    return dead;
  }

  private static boolean leadsSomewhere(Path document, String link) throws IOException {
    if (link.matches("[a-z]+:.*")) {
      return true; // elsewhere: a build does not depend on the network
    }
    int hash = link.indexOf('#');
    String path = hash < 0 ? link : link.substring(0, hash);
    Path target = path.isEmpty() ? document : document.resolveSibling(path);
    return Files.exists(target) && (hash < 0 || anchors(target).contains(link.substring(hash + 1)));
  }

  /** The lines outside of fenced code. */
  private static List<String> prose(Path document) throws IOException {
    List<String> prose = new ArrayList<>();
    boolean fenced = false;
    for (String line : Files.readAllLines(document)) {
      boolean fence = line.strip().startsWith("```");
      fenced ^= fence;
      if (!fenced && !fence) {
        prose.add(line);
      }
    }
    return prose;
  }

  /** What a renderer makes of the headings: words in lower case, joined by hyphens. */
  private static Set<String> anchors(Path document) throws IOException {
    Set<String> anchors = new HashSet<>();
    for (String line : prose(document)) {
      Matcher heading = HEADING.matcher(line);
      if (heading.matches()) {
        anchors.add(
            heading
                .group(1)
                .strip()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-'));
      }
    }
    return anchors;
  }
}
