package io.crosstide.streams;

/**
 * The role cannot go on by itself; the message says why and what to do. Nothing is lost: positions
 * stand before the record concerned.
 */
public final class MergeRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public MergeRefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
