package io.crosstide.capture.psync;

/**
 * A place in a Redis's replication history, as PSYNC asks for it.
 *
 * @param replId replication id, 40 hex digits
 * @param replOffset bytes of the history consumed so far
 */
public record PsyncPosition(String replId, long replOffset) {
  /** No position: Redis answers with a full resync. */
  public static final PsyncPosition NONE = new PsyncPosition("?", -1);

  public boolean isNone() {
    return replOffset < 0;
  }
}
