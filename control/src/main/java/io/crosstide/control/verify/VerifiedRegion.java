package io.crosstide.control.verify;

import io.crosstide.control.redis.RegionRedis;
import io.crosstide.crdt.VersionVector;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One region as verification sees it. Used by one thread. */
public interface VerifiedRegion extends AutoCloseable {
  String name();

  RegionRedis redis();

  /**
   * Per partition, where the region's own log ends in its own Kafka.
   *
   * @throws IOException if that cannot be read now
   */
  List<VersionVector> logEnds() throws IOException;

  /**
   * Up to which replication offset everything is in the log; empty if capture cannot be asked.
   *
   * @throws IOException if that cannot be read now
   */
  OptionalLong capturedOffset() throws IOException;

  /** The region's merged state; null if this deployment offers no access to it. */
  @Nullable MergedImages merged();

  @Override
  void close();
}
