package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.RedisKey;
import java.util.OptionalLong;

/**
 * What of a key is needed to compare it with another Redis's.
 *
 * @param type as Redis's {@code TYPE} names it
 * @param deadline milliseconds since 1970; empty if it never expires
 * @param digest of the value, see {@link ValueDigest}; of types that are not replicated it covers
 *     the type only
 */
public record KeySummary(RedisKey key, String type, OptionalLong deadline, Bytes digest) {}
