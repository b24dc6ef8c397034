package io.crosstide.capture.rdb;

import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Fx;
import java.util.function.Consumer;

/**
 * Effects that the owner of a partition has sent to this region's Redis (P7). At a full resync they
 * explain what stands in Redis although no client of this region wrote it.
 */
public interface SentEffects {
  /** Knows of none. */
  SentEffects NONE = (partition, after, through, receiver) -> false;

  /**
   * Hands over the effects of {@code partition} numbered above {@code after} and up to {@code
   * through}, in order, probes and no-ops included or not.
   *
   * @return false, possibly after having handed over some, if not all of them are known
   */
  boolean between(int partition, Fx after, Fx through, Consumer<Effect> receiver);
}
