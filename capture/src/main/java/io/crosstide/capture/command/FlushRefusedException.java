package io.crosstide.capture.command;

/** A database was flushed where that is not to be decided by a client. */
public final class FlushRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  FlushRefusedException(String message) {
    super(message);
  }
}
