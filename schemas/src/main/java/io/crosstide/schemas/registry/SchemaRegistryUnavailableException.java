package io.crosstide.schemas.registry;

import org.jspecify.annotations.Nullable;

/** No registry answered in time. Worth asking again later. */
public final class SchemaRegistryUnavailableException extends SchemaRegistryException {
  private static final long serialVersionUID = 1L;

  public SchemaRegistryUnavailableException(String message, @Nullable Throwable cause) {
    super(message, NO_CODE, cause);
  }
}
