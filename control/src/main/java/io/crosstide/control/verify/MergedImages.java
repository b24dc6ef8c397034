package io.crosstide.control.verify;

import io.crosstide.control.redis.KeyImage;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.RedisKey;
import java.io.IOException;

/** A region's merged state, seen only as key images; it may be in another process. */
public interface MergedImages {

  /**
   * Per origin, the last seq of {@code partition} that is merged.
   *
   * @throws IOException if the merged state cannot be asked now
   */
  VersionVector position(int partition) throws IOException;

  /**
   * Shows the image of every key of {@code partition} that Redis should hold.
   *
   * @throws IOException as {@link #position}
   */
  void images(int partition, Consumer consumer) throws IOException;

  /**
   * The image of one key, {@link KeyImage#ABSENT} if Redis should not hold it.
   *
   * @throws IOException as {@link #position}
   */
  KeyImage image(RedisKey key) throws IOException;

  /** Receives images. */
  @FunctionalInterface
  interface Consumer {
    void accept(RedisKey key, KeyImage image);
  }
}
