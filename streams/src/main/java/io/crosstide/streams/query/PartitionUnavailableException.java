package io.crosstide.streams.query;

import java.io.IOException;

/** The partition's owner cannot be asked now; the message says why. Try again later. */
public final class PartitionUnavailableException extends IOException {
  private static final long serialVersionUID = 1L;

  public PartitionUnavailableException(String message) {
    super(message);
  }
}
