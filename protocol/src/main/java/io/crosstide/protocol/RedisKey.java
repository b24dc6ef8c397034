package io.crosstide.protocol;

import io.crosstide.crdt.Bytes;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A key of one region's Redis.
 *
 * @param db number of the logical database, 0..15 in a default Redis
 */
public record RedisKey(int db, Bytes name) implements Comparable<RedisKey> {
  /** Keys that begin so belong to Crosstide: markers and the beacon. They are never replicated. */
  public static final String RESERVED_PREFIX = "__ct:";

  private static final byte[] RESERVED = RESERVED_PREFIX.getBytes(StandardCharsets.US_ASCII);

  public static RedisKey of(int db, String name) {
    return new RedisKey(db, Bytes.utf8(name));
  }

  public static boolean isReserved(byte[] name) {
    if (name.length < RESERVED.length) {
      return false;
    }
    for (int i = 0; i < RESERVED.length; i++) {
      if (name[i] != RESERVED[i]) {
        return false;
      }
    }
    return true;
  }

  public boolean isReserved() {
    return isReserved(name.array());
  }

  // Written out: maps ask for these several times per event, and what records bring along is slow
  // until it has been compiled.

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof RedisKey that && db == that.db && name.equals(that.name);
  }

  @Override
  public int hashCode() {
    return 31 * db + name.hashCode();
  }

  @Override
  public int compareTo(RedisKey other) {
    int byDb = Integer.compare(db, other.db);
    return byDb != 0 ? byDb : name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return db == 0 ? name.toString() : db + "/" + name;
  }
}
