package io.crosstide.control.redis;

import java.io.IOException;

/** A Redis could not be asked: away, refusing, or answering with an error. */
public final class RedisUnavailableException extends IOException {
  private static final long serialVersionUID = 1;

  public RedisUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
