package io.crosstide.apply;

import io.crosstide.protocol.RedisKey;
import java.util.OptionalLong;

/**
 * A key as Redis holds it, completely.
 *
 * @param deadline milliseconds since 1970; empty if it never expires
 */
public record KeyState(RedisKey key, RedisValue value, OptionalLong deadline) {

  public KeySummary summary() {
    return new KeySummary(key, value.type(), deadline, value.digest());
  }
}
