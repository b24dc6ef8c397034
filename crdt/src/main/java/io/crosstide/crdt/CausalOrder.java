package io.crosstide.crdt;

/** How two version vectors relate. */
public enum CausalOrder {
  /** Every entry is at most the other's, one is less. */
  BEFORE,
  /** Every entry is at least the other's, one is more. */
  AFTER,
  SAME,
  /** Each has seen something the other has not. */
  CONCURRENT
}
