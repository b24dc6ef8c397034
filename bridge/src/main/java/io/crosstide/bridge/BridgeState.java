package io.crosstide.bridge;

/** What a bridge is doing. */
public enum BridgeState {
  /** Made, not started. */
  NEW,
  /** Waiting for a Kafka or a topic; tries again by itself. */
  CONNECTING,
  /** Copying, or waiting for something to copy. */
  RUNNING,
  /** Ended by {@link Bridge#close()}. */
  CLOSED
}
