package io.crosstide.control.redis;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisFuture;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the markers of a Redis: what it holds of the other regions' logs. */
public final class RedisMarkers {

  /**
   * The part of a {@link MarkerState} that tells how far a Redis is.
   *
   * @param exceptions how many elements the context claims too much for (P9)
   */
  public record Progress(Fx fx, VersionVector context, long exceptions) {}

  private RedisMarkers() {}

  /**
   * One entry per partition, null where there is no marker.
   *
   * @throws RedisUnavailableException if Redis cannot be asked
   */
  public static List<@Nullable Progress> read(RegionRedis redis, int partitions)
      throws RedisUnavailableException {
    byte[][] fields = {ascii("f"), ascii("c"), ascii("k")};
    List<RedisFuture<List<KeyValue<byte[], byte[]>>>> replies = new ArrayList<>();
    for (int partition = 0; partition < partitions; partition++) {
      replies.add(redis.commands(0).hmget(ascii(MarkerState.key(partition)), fields));
    }
    List<@Nullable Progress> progress = new ArrayList<>();
    for (RedisFuture<List<KeyValue<byte[], byte[]>>> reply : replies) {
      List<KeyValue<byte[], byte[]>> values = redis.await(reply);
      String fx = text(values.get(0));
      String context = text(values.get(1));
      String exceptions = text(values.get(2));
      progress.add(
          fx == null || context == null
              ? null
              : new Progress(
                  Fx.parse(fx),
                  VersionVector.decode(context),
                  exceptions == null ? 0 : Long.parseLong(exceptions)));
    }
    return progress;
  }

  private static @Nullable String text(KeyValue<byte[], byte[]> value) {
    return value.hasValue() ? new String(value.getValue(), StandardCharsets.US_ASCII) : null;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
