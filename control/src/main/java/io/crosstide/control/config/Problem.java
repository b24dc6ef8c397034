package io.crosstide.control.config;

/** One mistake in a configuration, or one thing that is allowed but unwise. */
public record Problem(Severity severity, Place place, String message) {

  /** How bad a {@link Problem} is. */
  public enum Severity {
    /** The configuration cannot be used. */
    ERROR,
    /** It can be used, but something about it deserves a second look. */
    WARNING
  }

  public boolean isError() {
    return severity == Severity.ERROR;
  }

  /** One line: place, severity, sentence. */
  @Override
  public String toString() {
    return place + ": " + (isError() ? "error" : "warning") + ": " + message;
  }
}
