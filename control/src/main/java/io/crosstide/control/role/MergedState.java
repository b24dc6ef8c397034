package io.crosstide.control.role;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.io.IOException;
import java.util.Optional;

/**
 * What a region's streams stage holds: the merged state of every key of the partitions it owns.
 * Calls come from other threads than the stage's own and see a state that may be a commit old.
 */
public interface MergedState {

  /**
   * Per origin, the last seq of {@code partition} that is merged, the region's own included.
   *
   * @throws IOException if the partition's owner cannot be asked now: starting, rebalancing, gone
   */
  VersionVector position(int partition) throws IOException;

  /**
   * Shows every key of {@code partition} that Redis should hold, in any order.
   *
   * @throws IOException as {@link #position}
   */
  void visit(int partition, Visitor visitor) throws IOException;

  /**
   * Shows one key.
   *
   * @return false if Redis should not hold it
   * @throws IOException as {@link #position}
   */
  boolean visit(RedisKey key, Visitor visitor) throws IOException;

  /**
   * How a key came to its value; empty if nothing was ever merged for it, or all of it is
   * forgotten.
   *
   * @param elementsMax of a collection to explain
   * @throws IOException as {@link #position}
   */
  Optional<KeyExplanation> explain(RedisKey key, int elementsMax) throws IOException;

  /** Receives keys one after the other: {@link #key}, its elements, {@link #end}. */
  interface Visitor {
    /**
     * @param type as Redis's {@code TYPE} says it
     * @param deadlineMillis since 1970; 0 for none
     */
    void key(RedisKey key, String type, long deadlineMillis);

    /**
     * @param name empty for a string
     * @param content value, score or {@link Content#PRESENT}; of long values perhaps the digest
     *     only
     */
    void element(Bytes name, Content content);

    void end();
  }
}
