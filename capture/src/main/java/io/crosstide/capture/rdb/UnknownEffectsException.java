package io.crosstide.capture.rdb;

/**
 * Not all effects that Redis has applied are remembered. The message says what is missing and is a
 * part of a sentence.
 */
public final class UnknownEffectsException extends Exception {
  private final boolean lost;

  /** Something that should be remembered is not. */
  public UnknownEffectsException(String message) {
    this(message, false);
  }

  private UnknownEffectsException(String message, boolean lost) {
    super(message);
    this.lost = lost;
  }

  /** Redis had forgotten effects that it is known to have applied. */
  static UnknownEffectsException lost(String message) {
    return new UnknownEffectsException(message, true);
  }

  /** The same, saying where it was looked for. */
  UnknownEffectsException within(String place) {
    return new UnknownEffectsException(getMessage() + " (" + place + ")", lost);
  }

  /** Whether Redis has lost effects, and with them perhaps more (P8). */
  boolean lost() {
    return lost;
  }
}
