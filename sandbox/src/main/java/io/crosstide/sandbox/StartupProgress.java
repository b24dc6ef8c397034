package io.crosstide.sandbox;

/** Hears what the sandbox does while it starts, one short sentence at a time. */
@FunctionalInterface
public interface StartupProgress {
  /** Says nothing to anybody. */
  StartupProgress SILENT = step -> {};

  /**
   * Hears one step. Never called by two threads at once.
   *
   * @param step what has been done, for the person at the terminal
   */
  void step(String step);
}
