package io.crosstide.crdt;

/**
 * A hybrid logical timestamp: 48 bits of wall-clock milliseconds and 16 bits of counter, compared
 * as one unsigned-safe number. Ties between origins are broken by the caller with the region id.
 *
 * @param packed {@code physicalMillis << 16 | logical}
 */
public record HybridTimestamp(long packed) implements Comparable<HybridTimestamp> {
  public static final HybridTimestamp ZERO = new HybridTimestamp(0);

  public static HybridTimestamp of(long physicalMillis, int logical) {
    return new HybridTimestamp((physicalMillis << 16) | (logical & 0xffff));
  }

  /** Wall-clock part, milliseconds since 1970. */
  public long physicalMillis() {
    return packed >>> 16;
  }

  public int logical() {
    return (int) (packed & 0xffff);
  }

  @Override
  public int compareTo(HybridTimestamp other) {
    return Long.compare(packed, other.packed);
  }

  @Override
  public String toString() {
    return physicalMillis() + "+" + logical();
  }
}
