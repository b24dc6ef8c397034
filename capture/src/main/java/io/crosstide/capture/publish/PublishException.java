package io.crosstide.capture.publish;

import org.jspecify.annotations.Nullable;

/** Kafka refused an event for good, or publishing was given up: the log ends where it ends. */
public final class PublishException extends RuntimeException {
  public PublishException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
