package io.crosstide.capture.rdb;

/**
 * What a snapshot shows cannot be published without knowing more; nothing of it was. The message
 * says what was found and what to do.
 */
public final class ResyncRefusedException extends RuntimeException {
  public ResyncRefusedException(String message) {
    super(message);
  }
}
