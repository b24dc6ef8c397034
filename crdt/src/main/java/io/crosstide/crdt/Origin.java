package io.crosstide.crdt;

/**
 * The writer of one log: a region, one of its capture shards, and the incarnation of that log. The
 * incarnation rises whenever the end of the own log cannot be proven, so that an identity others
 * have seen is never used again.
 *
 * @param regionId 1..127, fixed in the configuration; breaks ties between equal stamps
 * @param shard 0..65535; 0 for a standalone Redis, one per primary in Redis Cluster
 * @param incarnation from 0
 */
public record Origin(int regionId, int shard, int incarnation) implements Comparable<Origin> {
  public static final int REGION_ID_MAX = 127;
  public static final int SHARD_MAX = 0xffff;

  public Origin {
    if (regionId < 1 || regionId > REGION_ID_MAX) {
      throw new IllegalArgumentException("region id " + regionId + " is outside 1..127");
    }
    if (shard < 0 || shard > SHARD_MAX) {
      throw new IllegalArgumentException("shard " + shard + " is outside 0..65535");
    }
    if (incarnation < 0) {
      throw new IllegalArgumentException("incarnation " + incarnation + " is negative");
    }
  }

  public static Origin of(int regionId) {
    return new Origin(regionId, 0, 0);
  }

  /** One number, small for small parts: 7 bits of region, 16 of shard, the rest incarnation. */
  public long packed() {
    return ((long) incarnation << 23) | ((long) shard << 7) | regionId;
  }

  public static Origin fromPacked(long packed) {
    return new Origin(
        (int) (packed & 0x7f), (int) ((packed >>> 7) & 0xffff), Math.toIntExact(packed >>> 23));
  }

  @Override
  public int compareTo(Origin other) {
    return Long.compare(packed(), other.packed());
  }

  /** {@code region.shard.incarnation}, as shown to users and written in markers. */
  @Override
  public String toString() {
    return regionId + "." + shard + "." + incarnation;
  }
}
