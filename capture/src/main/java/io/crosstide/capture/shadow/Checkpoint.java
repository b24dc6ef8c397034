package io.crosstide.capture.shadow;

import io.crosstide.crdt.HybridTimestamp;

/**
 * A place in the replication stream from which capture can go on, with the shadow as it is there.
 *
 * @param replId replication id of the history, 40 hex digits
 * @param replOffset bytes of the history up to here; -1 when there is no position: none yet, or a
 *     full resync was under way
 * @param db the database selected here; Redis does not repeat SELECT after a CONTINUE
 * @param streamMillis wall clock of the last beacon seen, milliseconds since 1970; 0 for none
 * @param hlc the last stamp issued
 */
public record Checkpoint(
    String replId, long replOffset, int db, long streamMillis, HybridTimestamp hlc) {
  public static final Checkpoint NONE = new Checkpoint("", -1, 0, 0, HybridTimestamp.ZERO);

  public boolean hasPosition() {
    return replOffset >= 0;
  }
}
