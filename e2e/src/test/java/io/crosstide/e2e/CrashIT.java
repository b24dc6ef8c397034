package io.crosstide.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything dies at once, brokers and Redis servers included, while clients write; what is on disk
 * must be enough. (Roles that die one by one are tested in their own modules.)
 */
class CrashIT {
  private static final int REGIONS = 3;
  private static final int COUNTERS = 40;
  private static final int CRASHES = 2;
  private static final long WRITES_PER_ROUND = 1_500;
  private static final Duration SOON = Duration.ofSeconds(60);

  /** One step of a shared counter, and in the same atomic step of the region's own count of it. */
  private static final String COUNT =
      "redis.call('INCR', KEYS[1]) return redis.call('INCR', KEYS[2])";

  @TempDir Path directory;

  @Test
  void countersAreExactAfterEverythingWasKilledUnderLoadDuringACut() {
    countUntilKilled(SystemRig::cut);
  }

  @Test
  void countersAreExactAfterEverythingWasKilledUnderLoad() {
    countUntilKilled(SystemRig::heal);
  }

  @Test
  void countersAreExactAfterEachRedisWasKilledInTurnDuringACut() {
    killEachRedis(SystemRig::cut);
  }

  @Test
  void countersAreExactAfterEachRedisWasKilledInTurn() {
    killEachRedis(SystemRig::heal);
  }

  private void killEachRedis(Consumer<SystemRig> links) {
    try (SystemRig rig = SystemRig.start(directory, REGIONS)) {
      long acknowledged = 0;
      for (int id = 1; id <= REGIONS; id++) {
        links.accept(rig);
        List<Load> loads = new ArrayList<>();
        rig.regions().forEach(region -> loads.add(new Load(region)));
        await()
            .atMost(SOON)
            .until(() -> loads.stream().allMatch(load -> load.count() >= WRITES_PER_ROUND));
        Load dying = loads.get(id - 1);
        rig.killAndRestartRedis(rig.region(id), dying::join);
        for (Load load : loads) {
          load.stop();
          load.join();
          acknowledged += load.count();
        }
        rig.settle();
      }
      checkCounters(rig, acknowledged, REGIONS);
    }
  }

  private void countUntilKilled(Consumer<SystemRig> links) {
    try (SystemRig rig = SystemRig.start(directory, REGIONS)) {
      long acknowledged = 0;
      for (int crash = 0; crash < CRASHES; crash++) {
        links.accept(rig);
        List<Load> loads = new ArrayList<>();
        rig.regions().forEach(region -> loads.add(new Load(region)));
        await()
            .atMost(SOON)
            .until(() -> loads.stream().allMatch(load -> load.count() >= WRITES_PER_ROUND));
        rig.killAndRestart(() -> loads.forEach(Load::join));
        rig.settle();
        acknowledged += loads.stream().mapToLong(Load::count).sum();
      }
      checkCounters(rig, acknowledged, CRASHES * REGIONS);
    }
  }

  private static void checkCounters(SystemRig rig, long acknowledged, int unanswered) {
    long total = 0;
    for (int counter = 0; counter < COUNTERS; counter++) {
      RedisCommands<String, String> redis = rig.region(1).redis();
      long counted = 0;
      for (int id = 1; id <= REGIONS; id++) {
        counted += number(redis.get(own(counter, id)));
      }
      for (RegionClient region : rig.regions()) {
        assertThat(number(region.redis().get(shared(counter))))
            .as(() -> "in " + region.name())
            .isEqualTo(counted);
      }
      total += counted;
    }
    // A write may have taken effect without its answer arriving: one per client and crash.
    assertThat(total).isBetween(acknowledged, acknowledged + unanswered);
  }

  private static long number(@Nullable String text) {
    return text == null ? 0 : Long.parseLong(text);
  }

  private static String shared(int counter) {
    return "{" + counter + "}shared";
  }

  private static String own(int counter, int region) {
    return "{" + counter + "}own:" + region;
  }

  /** A client that counts, one write after the other, until its Redis is gone. */
  private static final class Load {
    private final AtomicLong acknowledged = new AtomicLong();
    private final Thread thread;
    private volatile boolean stopped;

    Load(RegionClient region) {
      StatefulRedisConnection<String, String> connection = region.connection();
      thread = new Thread(() -> run(region, connection), "load-" + region.name());
      thread.start();
    }

    private void run(RegionClient region, StatefulRedisConnection<String, String> connection) {
      try (connection) {
        while (!stopped) {
          int counter = (int) (acknowledged.get() % COUNTERS);
          String[] keys = {shared(counter), own(counter, region.id())};
          connection.sync().eval(COUNT, ScriptOutputType.INTEGER, keys);
          acknowledged.incrementAndGet();
        }
      } catch (RedisException gone) {
        // Killed, as intended; the assertions at the end judge what it had acknowledged.
      }
    }

    long count() {
      return acknowledged.get();
    }

    void stop() {
      stopped = true;
    }

    void join() {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
