package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.schemas.registry.SchemaRegistryConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code docs/reference/topics.md} says what the code does. */
class TopicsReferenceTest {
  private static final Path PAGE = Path.of("..", "docs", "reference", "topics.md");

  @Test
  void thePageNamesEveryTopicGroupAndSize() throws IOException {
    String page = Files.readString(PAGE);
    Stream.of(
            Topics.CHANGES_PREFIX + "<region>",
            Topics.CONFLICTS_PREFIX + "<region>",
            Topics.DEAD_LETTERS_PREFIX + "<region>",
            Topics.SENT_EFFECTS_PREFIX + "<region>",
            Topics.SCHEMAS,
            Topics.streamsApplicationId("x").replace("x", "<region>"),
            Topics.bridgeGroup("a", "b").replace("a.b", "<source>.<target>"),
            Topics.valueSubject("<topic>"),
            Headers.NAME)
        .forEach(name -> assertThat(page).contains("`" + name + "`"));
    assertThat(page)
        .contains(
            Limits.EVENT_BYTES_MAX + " bytes",
            Limits.RECORD_BYTES_MAX + " bytes",
            "kept " + Topics.RETENTION_DEFAULT.toDays() + " days",
            "kept " + Topics.REVIEW_RETENTION_DEFAULT.toDays() + " days",
            "for "
                + SchemaRegistryConfig.of("http://localhost:1").retryFor().toSeconds()
                + " seconds");
  }
}
