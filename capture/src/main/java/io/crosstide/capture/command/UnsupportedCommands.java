package io.crosstide.capture.command;

import java.util.Map;
import java.util.TreeMap;

/** Counts, by name, the commands of the stream that were not replicated. */
public final class UnsupportedCommands {
  private final Map<String, Long> counts = new TreeMap<>();
  private final Map<String, Long> local = new TreeMap<>();

  /** Writes that do not reach the other regions. A copy. */
  public Map<String, Long> counts() {
    return new TreeMap<>(counts);
  }

  /** Commands that concern this Redis only, {@code SCRIPT LOAD} for one. A copy. */
  public Map<String, Long> local() {
    return new TreeMap<>(local);
  }

  /** Returns whether it is the first of this name. */
  boolean count(String name) {
    return counts.merge(name, 1L, Long::sum) == 1;
  }

  void countLocal(String name) {
    local.merge(name, 1L, Long::sum);
  }
}
