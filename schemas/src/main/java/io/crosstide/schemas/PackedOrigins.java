package io.crosstide.schemas;

import io.crosstide.crdt.Origin;

/** Checks numbers that claim to be {@link Origin#packed()}, before they enter a version vector. */
final class PackedOrigins {
  private static final int REGION_BITS = 7;
  private static final int REGION_AND_SHARD_BITS = 23;

  private PackedOrigins() {}

  static boolean isValid(long packed) {
    return packed > 0
        && (packed & ((1 << REGION_BITS) - 1)) != 0
        && packed >>> REGION_AND_SHARD_BITS <= Integer.MAX_VALUE;
  }
}
