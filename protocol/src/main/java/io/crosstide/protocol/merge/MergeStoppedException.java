package io.crosstide.protocol.merge;

/**
 * The partition cannot go on: the message says why and what to do. Nothing was lost, the positions
 * stand before the record.
 */
public final class MergeStoppedException extends RuntimeException {
  /** Why merging stopped. */
  public enum Reason {
    /** Records of a log are missing. */
    GAP,
    /** Another owner has taken the partition over. */
    FENCED
  }

  private static final long serialVersionUID = 1;

  private final Reason reason;

  public MergeStoppedException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
