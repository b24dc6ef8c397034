package io.crosstide.streams;

/** How a streams role is. */
public enum StreamsState {
  /** Not started yet. */
  CREATED,
  /** On its way: topics, group membership, rows from changelogs. */
  STARTING,
  /** Merging; whether Redis is there is another question, see the partitions' phases. */
  RUNNING,
  /** Something went wrong that may pass: it starts again by itself after a pause. */
  WAITING,
  /** It has stopped before a record it cannot take, and will not go on by itself. */
  FAILED,
  CLOSED
}
