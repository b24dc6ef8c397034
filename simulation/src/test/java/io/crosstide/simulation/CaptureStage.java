package io.crosstide.simulation;

import java.util.Random;

/** What makes a region's log of its Redis's stream. */
interface CaptureStage {
  /** Whether everything in the stream is in the log. */
  boolean isIdle();

  /** Reads the next thing in the stream, or does whatever is to be done before. */
  void step(Random random);

  /** Publishes a beat if one may be published now. */
  void beat();

  /** Writes the time into Redis. */
  default void beacon() {}

  /**
   * Whether what happens now will be seen in a snapshot only. A marker taken away from a Redis that
   * was restarted since capture last saw it cannot be told from lost data (P8): capture stops.
   */
  default boolean isBeforeSnapshot() {
    return false;
  }

  /** {@code kill -9}: what was sent to Kafka may be there in part, or arrive later. */
  default void crash(Random random) {}

  /** The last beacon that this process has written, or read in the stream. */
  default long lastBeaconKnown() {
    return 0;
  }

  /** Redis was restarted: what has been read of its stream gets into the log. */
  default void redisRestarted() {}

  /** The connection to Redis is lost. */
  default void disconnect() {}
}
