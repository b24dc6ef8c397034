package io.crosstide.schemas;

import org.apache.kafka.common.errors.AuthorizationException;
import org.jspecify.annotations.Nullable;

/** What Kafka says when a right is missing, made a sentence that says what to do. */
public final class KafkaRights {
  private KafkaRights() {}

  /**
   * @return null if {@code problem} has another reason than a missing right
   */
  public static @Nullable String missing(Throwable problem) {
    for (Throwable t = problem; t != null; t = t.getCause()) {
      if (t instanceof AuthorizationException refused) {
        String said = String.valueOf(refused.getMessage());
        return "Kafka's authorizer refuses what is needed: "
            + said
            + (said.endsWith(".") ? "" : ".")
            + " Give this role the rights that docs/reference/security.md names, then start it"
            + " again";
      }
    }
    return null;
  }
}
