package io.crosstide.schemas.registry;

/**
 * What a subject's next version must be able to do, as Confluent's registry defines it. Backward:
 * read what earlier versions wrote. Forward: be read by them. Transitive: with all earlier
 * versions, not only the latest.
 */
public enum CompatibilityLevel {
  NONE(false, false, false),
  BACKWARD(true, false, false),
  BACKWARD_TRANSITIVE(true, false, true),
  FORWARD(false, true, false),
  FORWARD_TRANSITIVE(false, true, true),
  FULL(true, true, false),
  FULL_TRANSITIVE(true, true, true);

  private final boolean backward;
  private final boolean forward;
  private final boolean transitive;

  CompatibilityLevel(boolean backward, boolean forward, boolean transitive) {
    this.backward = backward;
    this.forward = forward;
    this.transitive = transitive;
  }

  public boolean isBackward() {
    return backward;
  }

  public boolean isForward() {
    return forward;
  }

  public boolean isTransitive() {
    return transitive;
  }
}
