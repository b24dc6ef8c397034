package io.crosstide.capture;

/**
 * Capture cannot go on without somebody acting; its position is kept. The message says what
 * happened and what to do.
 */
public final class CaptureFailedException extends RuntimeException {
  public CaptureFailedException(String message) {
    super(message);
  }

  public CaptureFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
