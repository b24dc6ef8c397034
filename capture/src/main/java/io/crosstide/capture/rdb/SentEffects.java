package io.crosstide.capture.rdb;

import io.crosstide.protocol.Fx;
import io.crosstide.protocol.SentBatch;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the effect batches that the owners of partitions sent to this region's Redis (P7). At a
 * full resync they explain what stands in Redis although no client of this region wrote it.
 */
public interface SentEffects {
  /** Remembers none. */
  SentEffects NONE =
      (partition, after, through) -> {
        throw new UnknownEffectsException("nobody remembers effects");
      };

  /**
   * Finds the batches of {@code partition} that Redis applied after one effect and up to another.
   * What owners sent and Redis never applied is not among them.
   *
   * @param after number of the last effect already accounted for, {@link Fx#NONE} for none
   * @param through number of the last effect applied, above {@code after}
   * @throws UnknownEffectsException if not all of them are remembered
   */
  Applied applied(int partition, Fx after, Fx through) throws UnknownEffectsException;

  /** Batches that were found; may be read any number of times. */
  interface Applied {
    Batches open();
  }

  /** Reads batches in the order in which Redis applied them, one at a time. */
  interface Batches extends AutoCloseable {
    /** The next batch; null after the last. */
    @Nullable Sent next();

    @Override
    void close();
  }

  /**
   * @param millis the owner's wall clock just before Redis was sent the batch
   */
  record Sent(SentBatch batch, long millis) {}
}
