package io.crosstide.cli;

/** Ends a command with {@link ExitCodes#FAILURE}; the message is a sentence for the user. */
public final class CliException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CliException(String message) {
    super(message);
  }

  public CliException(String message, Throwable cause) {
    super(message, cause);
  }
}
