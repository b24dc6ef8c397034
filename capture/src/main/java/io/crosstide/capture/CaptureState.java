package io.crosstide.capture;

/** What a capture agent is doing. */
public enum CaptureState {
  /** Not started, or proving the end of its log. */
  STARTING,
  /** Reading and comparing a snapshot of Redis. */
  SYNCING,
  /** Following the replication stream. */
  STREAMING,
  /** Redis or Kafka cannot be reached; trying on, nothing is lost. */
  DISCONNECTED,
  /** Given up with the position kept: somebody must act, then start it again. */
  FAILED,
  CLOSED
}
