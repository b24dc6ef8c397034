package io.crosstide.control.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects every problem of one file, so that all can be shown at once. */
final class Problems {
  private final List<Problem> found = new ArrayList<>();

  void error(Place place, String message) {
    found.add(new Problem(Problem.Severity.ERROR, place, message));
  }

  void warning(Place place, String message) {
    found.add(new Problem(Problem.Severity.WARNING, place, message));
  }

  boolean hasErrors() {
    return found.stream().anyMatch(Problem::isError);
  }

  /** In the order of the file. */
  List<Problem> all() {
    return found.stream().sorted(Comparator.comparing(Problem::place)).toList();
  }
}
