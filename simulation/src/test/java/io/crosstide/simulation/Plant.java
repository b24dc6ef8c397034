package io.crosstide.simulation;

import io.crosstide.protocol.Effect;
import io.crosstide.protocol.ListPlace;

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

  // Of lists.

  /** What capture says of a list's elements is lost, but for the answers to probes. */
  LOSES_LIST_NEWS,
  /** A search in a list never goes farther than the first. */
  NO_EFFORT,

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

  boolean isInLists() {
    return this == LOSES_LIST_NEWS || this == NO_EFFORT;
  }

  /** What becomes of an effect on a list's element. */
  Effect inList(Effect effect) {
    if (this != NO_EFFORT) {
      return effect;
    }
    if (effect instanceof Effect.Put put && put.place() != null) {
      return new Effect.Put(
          put.element(), put.expected(), put.desired(), put.knows(), effortless(put.place()));
    }
    if (effect instanceof Effect.Check check && check.place() != null) {
      return new Effect.Check(
          check.element(), check.expected(), check.knows(), effortless(check.place()));
    }
    return effect;
  }

  private static ListPlace effortless(ListPlace place) {
    return new ListPlace(place.before(), place.after(), place.hint(), place.leansRight(), 0);
  }

  /** Whether it takes production's capture to show. */
  boolean isInCapture() {
    return compareTo(FORGETS_INDEX) >= 0;
  }
}
