package io.crosstide.control.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads YAML into {@link YamlNode}s with their places. Aliases ({@code *name}) are refused: they
 * would give one setting two places.
 */
final class YamlReader {
  /** Deeper nesting than any setting needs is a mistake, or an attack on the stack. */
  private static final int DEPTH_MAX = 32;

  private final String file;
  private final Problems problems;

  YamlReader(String file, Problems problems) {
    this.file = file;
    this.problems = problems;
  }

  /** The document's root, or null if it is empty or not YAML, which has then been reported. */
  @Nullable YamlNode read(String text) {
    try (YAMLParser parser = new YAMLFactory().createParser(text)) {
      if (parser.nextToken() == null) {
        problems.error(Place.startOf(file), "the file is empty: start with 'regions:'");
        return null;
      }
      YamlNode root = value(parser, 0);
      if (parser.nextToken() != null) {
        problems.error(
            placeOf(parser.currentTokenLocation()),
            "a second YAML document begins here: put everything into one");
      }
      return root;
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      problems.error(at == null ? Place.startOf(file) : placeOf(at), syntaxMessage(e));
      return null;
    } catch (IOException e) {
      throw new IllegalStateException("reading text from memory cannot fail", e);
    }
  }

  private static String syntaxMessage(JsonProcessingException e) {
    String first = e.getOriginalMessage().lines().findFirst().orElse("syntax error").strip();
    return "this is not YAML: "
        + first
        + (e.getOriginalMessage().toLowerCase(Locale.ROOT).contains("'\\t'")
            ? " (indent with spaces, not tabs)"
            : "");
  }

  private YamlNode value(YAMLParser parser, int depth) throws IOException {
    Place place = placeOf(parser.currentTokenLocation());
    if (depth > DEPTH_MAX) {
      throw new com.fasterxml.jackson.core.JsonParseException(
          parser, "settings are nested deeper than " + DEPTH_MAX + " levels");
    }
    if (parser.isCurrentAlias()) {
      problems.error(place, "aliases (*" + parser.getText() + ") are not supported: repeat it");
      return new YamlNode.Scalar(place, "", YamlNode.Scalar.Kind.EMPTY);
    }
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> mapping(parser, place, depth);
      case START_ARRAY -> sequence(parser, place, depth);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
          new YamlNode.Scalar(place, parser.getText(), YamlNode.Scalar.Kind.NUMBER);
      case VALUE_TRUE, VALUE_FALSE ->
          new YamlNode.Scalar(place, parser.getText(), YamlNode.Scalar.Kind.BOOLEAN);
      case VALUE_NULL -> new YamlNode.Scalar(place, "", YamlNode.Scalar.Kind.EMPTY);
      default -> new YamlNode.Scalar(place, parser.getText(), YamlNode.Scalar.Kind.TEXT);
    };
  }

  private YamlNode mapping(YAMLParser parser, Place place, int depth) throws IOException {
    List<YamlNode.Mapping.Entry> entries = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      Place keyPlace = placeOf(parser.currentTokenLocation());
      String key = parser.currentName();
      parser.nextToken();
      entries.add(new YamlNode.Mapping.Entry(key, keyPlace, value(parser, depth + 1)));
    }
    return new YamlNode.Mapping(place, entries);
  }

  private YamlNode sequence(YAMLParser parser, Place place, int depth) throws IOException {
    List<YamlNode> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(parser, depth + 1));
    }
    return new YamlNode.Sequence(place, items);
  }

  private Place placeOf(JsonLocation location) {
    return new Place(file, Math.max(1, location.getLineNr()), Math.max(1, location.getColumnNr()));
  }
}
