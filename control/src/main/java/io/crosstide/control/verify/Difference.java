package io.crosstide.control.verify;

import io.crosstide.control.redis.KeyImage;
import io.crosstide.protocol.RedisKey;
import java.util.Map;

/**
 * A key that is not the same everywhere.
 *
 * @param what {@code presence}, {@code type}, {@code size}, {@code value} or {@code deadline}
 * @param images by where they were taken: {@code redis us-east}, {@code merged us-east}
 */
public record Difference(RedisKey key, String what, Map<String, KeyImage> images) {}
