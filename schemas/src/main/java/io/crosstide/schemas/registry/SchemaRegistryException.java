package io.crosstide.schemas.registry;

import org.jspecify.annotations.Nullable;

/** The registry answered, but not with what was asked for. Asking again gives the same answer. */
public class SchemaRegistryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@link #errorCode()} where the registry named none. */
  public static final int NO_CODE = 0;

  private final int errorCode;

  public SchemaRegistryException(String message, int errorCode) {
    this(message, errorCode, null);
  }

  public SchemaRegistryException(String message, int errorCode, @Nullable Throwable cause) {
    super(message, cause);
    this.errorCode = errorCode;
  }

  /** Confluent's error code (40401, 42201, 409, ...), or {@link #NO_CODE}. */
  public int errorCode() {
    return errorCode;
  }
}
