package io.crosstide.capture.command;

/** What a client's {@code FLUSHDB} or {@code FLUSHALL} means for other regions. */
public enum FlushPolicy {
  /** They delete what this region was seen to hold. */
  REPLICATE,
  /** Capture stops before it, and nobody deletes anything until it is told how to go on. */
  HALT,
  /** Nothing: this region's Redis alone is emptied. */
  LOCAL
}
