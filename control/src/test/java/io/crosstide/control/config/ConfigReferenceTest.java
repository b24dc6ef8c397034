package io.crosstide.control.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConfigReferenceTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "reference", "config.md");

  /** To write it anew after a change: {@code mvn -pl control test -Dcrosstide.write-docs=true}. */
  @Test
  void documentSaysWhatTheCodeSays() throws IOException {
    if (Boolean.getBoolean("crosstide.write-docs")) {
      Files.writeString(DOCUMENT, ConfigReference.markdown());
    }

    assertThat(Files.readString(DOCUMENT)).isEqualTo(ConfigReference.markdown());
  }
}
