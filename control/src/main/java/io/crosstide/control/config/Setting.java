package io.crosstide.control.config;

import org.jspecify.annotations.Nullable;

/**
 * One setting of the file: everything about it in one place, so that reading, checking and the
 * reference cannot disagree.
 *
 * @param defaultText as it would stand in the file; null if there is none
 * @param required whether it must be given
 * @param doc what it means, a sentence
 * @param consequence what goes wrong when it is badly chosen, a sentence; empty if nothing does
 */
record Setting<T>(
    String name,
    ValueType<T> type,
    @Nullable String defaultText,
    boolean required,
    String doc,
    String consequence) {

  static <T> Setting<T> required(String name, ValueType<T> type, String doc, String consequence) {
    return new Setting<>(name, type, null, true, doc, consequence);
  }

  static <T> Setting<T> optional(String name, ValueType<T> type, String doc, String consequence) {
    return new Setting<>(name, type, null, false, doc, consequence);
  }

  static <T> Setting<T> withDefault(
      String name, ValueType<T> type, String defaultText, String doc, String consequence) {
    return new Setting<>(name, type, defaultText, false, doc, consequence);
  }

  /**
   * The default.
   *
   * @throws IllegalStateException if there is none
   */
  T defaultValue() {
    String text = defaultText;
    if (text == null) {
      throw new IllegalStateException("'" + name + "' has no default");
    }
    return type.parse(text);
  }
}
