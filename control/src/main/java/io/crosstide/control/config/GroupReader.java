package io.crosstide.control.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one group of settings: reports keys that are unknown, repeated or missing, and values of
 * the wrong kind, and goes on after each.
 */
final class GroupReader {
  private final Section section;
  private final Place place;
  private final String path;
  private final References references;
  private final Problems problems;
  private final Map<String, YamlNode.Mapping.Entry> entries = new LinkedHashMap<>();

  GroupReader(
      Section section, YamlNode node, String path, References references, Problems problems) {
    this.section = section;
    this.place = node.place();
    this.path = path;
    this.references = references;
    this.problems = problems;
    if (node instanceof YamlNode.Mapping mapping) {
      index(mapping);
      reportMissing();
    } else if (node instanceof YamlNode.Scalar scalar
        && scalar.kind() == YamlNode.Scalar.Kind.EMPTY) {
      reportMissing();
    } else {
      problems.error(
          place,
          where()
              + " must hold settings ("
              + String.join(", ", section.keys())
              + "), not "
              + node.describe());
    }
  }

  Place place() {
    return place;
  }

  /** Where the value of {@code setting} stands, or this group's place if it is not given. */
  Place placeOf(Setting<?> setting) {
    YamlNode.Mapping.Entry entry = entries.get(setting.name());
    return entry == null ? place : entry.value().place();
  }

  boolean has(Section child) {
    return entries.containsKey(child.name());
  }

  boolean hasSetting(Setting<?> setting) {
    return entries.containsKey(setting.name());
  }

  /** The setting's value, its default, or null: not given, or wrong and reported. */
  <T> @Nullable T get(Setting<T> setting) {
    YamlNode.Mapping.Entry entry = entries.get(setting.name());
    String defaultText = setting.defaultText();
    if (entry == null) {
      return defaultText == null ? null : setting.type().parse(defaultText);
    }
    YamlNode value = entry.value();
    if (!(value instanceof YamlNode.Scalar scalar)) {
      problems.error(
          value.place(),
          quoted(setting.name())
              + " must be one value ("
              + setting.type().describe()
              + "), not "
              + value.describe());
      return null;
    }
    if (scalar.kind() == YamlNode.Scalar.Kind.EMPTY || scalar.text().isEmpty()) {
      problems.error(
          entry.keyPlace(),
          quoted(setting.name())
              + " has no value: give one ("
              + setting.type().describe()
              + ") or remove the line");
      return null;
    }
    References.Resolved resolved = references.resolve(scalar, problems);
    String text = resolved.text();
    if (text == null) {
      return null;
    }
    if (setting.type().isSecret() && !resolved.indirect()) {
      warnInline(scalar.place(), quoted(setting.name()));
    }
    try {
      return setting.type().parse(text);
    } catch (IllegalArgumentException e) {
      problems.error(scalar.place(), quoted(setting.name()) + ": " + e.getMessage());
      return null;
    }
  }

  /** A child group; where it is absent, one without any setting, so that defaults apply. */
  GroupReader child(Section child) {
    YamlNode.Mapping.Entry entry = entries.get(child.name());
    String childPath = path.isEmpty() ? child.name() : path + "." + child.name();
    if (entry == null) {
      // Already reported if it is required: read on silently.
      return new GroupReader(
          child,
          new YamlNode.Mapping(place, List.of()),
          childPath,
          references,
          child.required() ? new Problems() : problems);
    }
    return new GroupReader(child, atKey(entry), childPath, references, problems);
  }

  /** The groups of a list. */
  List<GroupReader> children(Section child) {
    YamlNode.Mapping.Entry entry = entries.get(child.name());
    if (entry == null) {
      return List.of();
    }
    if (!(entry.value() instanceof YamlNode.Sequence sequence)) {
      problems.error(
          entry.keyPlace(),
          quoted(child.name())
              + " must be a list (each item begins with '- '), not "
              + entry.value().describe());
      return List.of();
    }
    List<GroupReader> groups = new ArrayList<>();
    for (int i = 0; i < sequence.items().size(); i++) {
      groups.add(
          new GroupReader(
              child, sequence.items().get(i), child.name() + "[" + i + "]", references, problems));
    }
    if (groups.isEmpty() && child.required()) {
      problems.error(entry.keyPlace(), quoted(child.name()) + " is empty: name at least one");
    }
    return groups;
  }

  /** A group with free keys. */
  Map<String, String> freeMap(Section child) {
    YamlNode.Mapping.Entry entry = entries.get(child.name());
    if (entry == null) {
      return Map.of();
    }
    if (!(entry.value() instanceof YamlNode.Mapping mapping)) {
      problems.error(
          entry.keyPlace(),
          quoted(child.name()) + " must hold 'key: value' lines, not " + entry.value().describe());
      return Map.of();
    }
    Map<String, String> result = new LinkedHashMap<>();
    for (YamlNode.Mapping.Entry property : mapping.entries()) {
      if (!(property.value() instanceof YamlNode.Scalar scalar)) {
        problems.error(
            property.value().place(),
            quoted(property.key()) + " must be one value, not " + property.value().describe());
        continue;
      }
      References.Resolved resolved = references.resolve(scalar, problems);
      if (looksSecret(property.key()) && !resolved.indirect()) {
        warnInline(scalar.place(), quoted(property.key()));
      }
      String text = resolved.text();
      if (text != null && result.put(property.key(), text) != null) {
        problems.error(property.keyPlace(), quoted(property.key()) + " stands here twice");
      }
    }
    return result;
  }

  private void index(YamlNode.Mapping mapping) {
    for (YamlNode.Mapping.Entry entry : mapping.entries()) {
      if (!section.keys().contains(entry.key())) {
        problems.error(
            entry.keyPlace(),
            "unknown setting "
                + quoted(entry.key())
                + (path.isEmpty() ? "" : " in " + path)
                + DidYouMean.hint(section.keys(), entry.key()));
      } else {
        YamlNode.Mapping.Entry earlier = entries.putIfAbsent(entry.key(), entry);
        if (earlier != null) {
          problems.error(
              entry.keyPlace(),
              quoted(entry.key())
                  + " stands here twice; first in line "
                  + earlier.keyPlace().line());
        }
      }
    }
  }

  private void reportMissing() {
    for (Setting<?> setting : section.settings()) {
      if (setting.required() && !entries.containsKey(setting.name())) {
        problems.error(
            place,
            where()
                + " lacks "
                + quoted(setting.name())
                + " ("
                + setting.type().describe()
                + "): "
                + setting.doc());
      }
    }
    for (Section child : section.sections()) {
      if (child.required() && !entries.containsKey(child.name())) {
        problems.error(place, where() + " lacks " + quoted(child.name()) + ": " + child.doc());
      }
    }
  }

  /** A group's place is its key's, which is what a reader looks for. */
  private static YamlNode atKey(YamlNode.Mapping.Entry entry) {
    return entry.value() instanceof YamlNode.Mapping mapping
        ? new YamlNode.Mapping(entry.keyPlace(), mapping.entries())
        : entry.value();
  }

  private void warnInline(Place at, String what) {
    problems.warning(
        at,
        what
            + " stands in the file itself, where everyone who can read the file sees it; write"
            + " ${env:NAME} or ${file:path}");
  }

  private static boolean looksSecret(String key) {
    String lower = key.toLowerCase(Locale.ROOT);
    return lower.contains("password") || lower.contains("secret") || lower.endsWith("jaas.config");
  }

  private String where() {
    return path.isEmpty() ? "the file" : path;
  }

  private static String quoted(String name) {
    return "'" + name + "'";
  }
}
