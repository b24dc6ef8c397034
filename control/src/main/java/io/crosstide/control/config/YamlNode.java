package io.crosstide.control.config;

import java.util.List;

/** A YAML value that knows where it stands. */
sealed interface YamlNode {
  Place place();

  /** What it is, as a user would say it: {@code a list}, {@code the text 'x'}. */
  String describe();

  /**
   * A single value.
   *
   * @param text as written, without quotes; empty for a missing value
   * @param kind what plain YAML takes it for; quoted values are always text
   */
  record Scalar(Place place, String text, Kind kind) implements YamlNode {
    enum Kind {
      TEXT,
      NUMBER,
      BOOLEAN,
      EMPTY
    }

    @Override
    public String describe() {
      return switch (kind) {
        case TEXT -> "the text '" + text + "'";
        case NUMBER -> "the number " + text;
        case BOOLEAN -> "the switch " + text;
        case EMPTY -> "nothing";
      };
    }
  }

  /** Keys and values in the order of the file; a key may stand twice, which readers report. */
  record Mapping(Place place, List<Entry> entries) implements YamlNode {
    record Entry(String key, Place keyPlace, YamlNode value) {}

    @Override
    public String describe() {
      return "a group of settings";
    }
  }

  /** A list. */
  record Sequence(Place place, List<YamlNode> items) implements YamlNode {
    @Override
    public String describe() {
      return "a list";
    }
  }
}
