package io.crosstide.streams;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stands in for capture of a region without local writes: looks at the markers and publishes beats
 * that show how far they are, as capture does when it sees them in the replication stream.
 */
final class MarkerWatcher implements AutoCloseable {
  private final RedisClient client;
  private final LogWriter log;
  private final int partitions;
  private final Map<Integer, Fx> shown = new HashMap<>();
  private final Map<Integer, MarkerState> last = new HashMap<>();
  private final Map<Integer, String> reported = new HashMap<>();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private @Nullable StatefulRedisConnection<String, String> connection;

  MarkerWatcher(String redisUri, LogWriter log, int partitions) {
    this.client = RedisClient.create(redisUri);
    this.log = log;
    this.partitions = partitions;
  }

  /** What capture publishes when it meets a Redis without markers. */
  MarkerWatcher lostAtFirst() {
    for (int partition = 0; partition < partitions; partition++) {
      log.control(partition, new Change.MarkerLost(), Fx.NONE, VersionVector.EMPTY, Map.of());
    }
    log.flush();
    return this;
  }

  MarkerWatcher start() {
    var unused = timer.scheduleWithFixedDelay(this::look, 0, 50, TimeUnit.MILLISECONDS);
    return this;
  }

  /** Looks at all markers now. */
  synchronized void look() {
    try {
      StatefulRedisConnection<String, String> open = connection;
      if (open == null) {
        open = client.connect();
        open.setTimeout(Duration.ofSeconds(2));
        connection = open;
      }
      for (int partition = 0; partition < partitions; partition++) {
        report(partition, open.sync().hget(MarkerState.key(partition), "t"));
        MarkerState marker = marker(open.sync(), partition);
        if (marker != null) {
          last.put(partition, marker);
        }
        if (marker != null && !marker.fx().equals(shown.put(partition, marker.fx()))) {
          log.control(
              partition,
              new Change.Beat(marker.context()),
              marker.fx(),
              marker.context(),
              Map.of());
        }
      }
    } catch (RedisException away) {
      // Looked at again in a moment.
    }
  }

  /** As capture does when it meets the token in the stream. */
  private void report(int partition, @Nullable String token) {
    if (token == null || token.equals(reported.put(partition, token))) {
      return;
    }
    MarkerState held = last.getOrDefault(partition, MarkerState.initial(0));
    log.control(
        partition,
        new Change.MarkerLost(token, held.preceding()),
        held.fx(),
        held.context(),
        Map.of());
    log.flush();
  }

  static @Nullable MarkerState marker(RedisCommands<String, String> redis, int partition) {
    Map<String, String> fields = redis.hgetall(MarkerState.key(partition));
    if (!fields.containsKey("e")) {
      return null;
    }
    return new MarkerState(
        Integer.parseInt(fields.getOrDefault("e", "0")),
        Fx.parse(fields.getOrDefault("f", "0:0")),
        VersionVector.decode(fields.getOrDefault("c", "")),
        Map.of());
  }

  @Override
  public void close() {
    timer.shutdownNow();
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
  }
}
