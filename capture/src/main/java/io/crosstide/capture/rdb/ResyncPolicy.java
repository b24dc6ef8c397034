package io.crosstide.capture.rdb;

/** What capture does after a full resync that found effects it cannot tell from local writes. */
public enum ResyncPolicy {
  /** Stop with the position kept: nothing is published twice, and somebody must decide. */
  FAIL,
  /**
   * Publish every difference as a local write that has seen what the marker says. Values converge;
   * a write of another region may be published again under this region's name, and an increment
   * counted as a difference.
   */
  PUBLISH_DIFFERENCES
}
