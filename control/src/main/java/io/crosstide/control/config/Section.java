package io.crosstide.control.config;

import java.util.ArrayList;
import java.util.List;

/**
 * A group of settings, or a list of such groups.
 *
 * @param name of the key under which it stands; empty for the whole file
 * @param doc what it describes, a sentence
 * @param shape one group, a list of groups, or free keys
 */
record Section(
    String name,
    Shape shape,
    boolean required,
    String doc,
    List<Setting<?>> settings,
    List<Section> sections) {

  enum Shape {
    GROUP,
    LIST,
    /** Keys are another program's, values text. */
    FREE
  }

  /** Every key that may stand in it. */
  List<String> keys() {
    List<String> keys = new ArrayList<>();
    settings.forEach(setting -> keys.add(setting.name()));
    sections.forEach(section -> keys.add(section.name()));
    return keys;
  }
}
