package io.crosstide.bridge;

import io.crosstide.schemas.EventHeader;
import java.util.HashMap;
import java.util.Map;

/**
 * Tells which events of one partition were written by a capture that had already been replaced.
 *
 * <p>A capture that takes over writes a record with its higher {@code captureEpoch} to every
 * partition before anything else; what an older one still appends behind that record counts for
 * nobody (P16). Order between partitions means nothing, so each has its own fence. Receivers apply
 * the same rule; leaving such events out here only saves their way. Confined to one thread.
 */
final class CaptureFence {
  private final Map<Long, Integer> highest = new HashMap<>();

  /** Whether the event counts for nobody; otherwise it raises the fence. */
  boolean isStale(EventHeader header) {
    Integer seen = highest.get(header.packedOrigin());
    if (seen != null && header.captureEpoch() < seen) {
      return true;
    }
    if (seen == null || header.captureEpoch() > seen) {
      highest.put(header.packedOrigin(), header.captureEpoch());
    }
    return false;
  }
}
