package io.crosstide.capture.shadow;

/** The shadow's files cannot be opened, read or written. Capture cannot go on without them. */
public final class ShadowStoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ShadowStoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
