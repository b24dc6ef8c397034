package io.crosstide.simulation;

/** A bug planted to see the checker fail. */
enum Plant {
  NONE,

  // In Redis, or the Lua function.

  /** Batches are applied however often they arrive. */
  REAPPLIES,
  /** A miss leaves no exception, so that the context claims it. */
  CLAIMS_MISSES,
  /** Guards always pass. */
  IGNORES_GUARDS,
  /** Now and then an effect is reported as passed and not written. */
  LOSES_EFFECTS,

  // In capture.

  /** Resumes after the whole command whose first events are in the log. */
  FORGETS_INDEX,
  /** What a capture that was replaced sent counts like anything else. */
  IGNORES_FENCE,
  /** The shadow on disk runs ahead of the log. */
  COMMITS_EARLY,
  /** A full resync takes effects for local writes. */
  REPUBLISHES_EFFECTS,
  /** A full resync folds every effect twice. */
  FOLDS_TWICE;

  /** Whether it takes production's capture to show. */
  boolean isInCapture() {
    return compareTo(FORGETS_INDEX) >= 0;
  }
}
