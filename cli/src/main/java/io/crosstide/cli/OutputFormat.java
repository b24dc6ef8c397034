package io.crosstide.cli;

/** How a command shows its data. */
public enum OutputFormat {
  /** For people. */
  TABLE,
  /** For programs: one JSON document, with the names of the HTTP API. */
  JSON
}
