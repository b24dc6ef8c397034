package io.crosstide.capture.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.crosstide.capture.command.RandomCommands.Range;
import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.RocksShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowOptions;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The interpreter against real Redis servers, the one on PATH and the embedded 6.2. A failure names
 * its seed; {@code -Dcapture.differential.steps} makes runs longer.
 */
class DifferentialIT {
  private static final int STEPS = Integer.getInteger("capture.differential.steps", 3000);

  @TempDir static Path dir;

  private static RedisProcess current;
  private static RedisProcess old;

  @BeforeAll
  static void startServers() throws IOException {
    current = start(RedisBinary.find(null, dir.resolve("bin")), dir.resolve("current"));
    old = start(RedisBinary.embedded(dir.resolve("bin")), dir.resolve("old"));
  }

  private static RedisProcess start(RedisBinary binary, Path directory) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Files.createDirectories(directory);
    RedisProcess redis =
        new RedisProcess(
            new RedisConfig(binary, directory, port, false)
                .with("repl-diskless-sync", "no")
                .with("repl-backlog-size", "16mb"));
    redis.start();
    redis.awaitReady(Duration.ofSeconds(20));
    return redis;
  }

  @AfterAll
  static void stopServers() {
    current.close();
    old.close();
  }

  private static boolean exactDeadlines(RedisProcess redis) {
    return redis.config().binary().version().isAtLeast(7, 0);
  }

  private static DifferentialRun inMemory(RedisProcess redis, long seed, Range range) {
    return new DifferentialRun(
        redis.port(),
        seed,
        range,
        exactDeadlines(redis),
        new InMemoryShadow(),
        shadow -> ((InMemoryShadow) shadow).crashed());
  }

  private static DifferentialRun onDisk(RedisProcess redis, long seed, Range range, Path dir) {
    UnaryOperator<Shadow> reopen =
        shadow -> {
          shadow.close();
          return RocksShadow.open(dir, ShadowOptions.defaults());
        };
    return new DifferentialRun(
        redis.port(),
        seed,
        range,
        exactDeadlines(redis),
        RocksShadow.open(dir, ShadowOptions.defaults()),
        reopen);
  }

  private static void holds(DifferentialRun run, Range range) {
    try {
      run.run(STEPS);
      if (range != Range.UNSUPPORTED) {
        assertThat(run.listEchoes).isPositive();
        assertThat(run.reported).isPositive();
        assertThat(run.shadow().mismatches()).isZero();
        assertThat(run.interpreter().unsupported().counts()).isEmpty();
        assertThat(run.echoes).isPositive();
      }
      if (range == Range.READ_BACK) {
        assertThat(run.reads).isGreaterThan(STEPS / 100);
      }
      assertThat(run.events()).hasSizeGreaterThan(STEPS / 4);
    } finally {
      run.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, LONG_VALUES",
    "2, LONG_VALUES",
    "3, LONG_VALUES",
    "4, MOVES",
    "5, MOVES",
    "6, UNSUPPORTED",
    "7, UNSUPPORTED",
    "8, READ_BACK",
    "9, READ_BACK",
    "10, READ_BACK",
    "41, STREAMS",
    "42, STREAMS",
    "43, STREAMS"
  })
  void shadowAndEventsAgreeWithRedis(long seed, Range range) {
    holds(inMemory(current, seed, range), range);
  }

  @ParameterizedTest
  @CsvSource({
    "11, LONG_VALUES",
    "12, LONG_VALUES",
    "13, MOVES",
    "14, UNSUPPORTED",
    "15, READ_BACK",
    "44, STREAMS",
    "45, STREAMS"
  })
  void shadowAndEventsAgreeWithRedis62(long seed, Range range) {
    holds(inMemory(old, seed, range), range);
  }

  @ParameterizedTest
  @CsvSource({"21, LONG_VALUES", "22, MOVES", "23, UNSUPPORTED", "24, READ_BACK", "46, STREAMS"})
  void shadowOnDiskAgreesWithRedis(long seed, Range range, @TempDir Path shadowDir) {
    holds(onDisk(current, seed, range, shadowDir), range);
  }

  @Test
  void whatBlockedClientsAreServedIsFollowed() {
    for (RedisProcess redis : List.of(current, old)) {
      DifferentialRun run = inMemory(redis, 41, Range.LONG_VALUES);
      try (Resp other = new Resp(redis.port())) {
        run.client().call("RPUSH", "kept", "x");
        for (String blocking :
            List.of(
                "BLPOP q 9",
                "BRPOP none q 9",
                "BLMOVE q kept RIGHT LEFT 9",
                "BRPOPLPUSH q kept 9",
                "BLMPOP 9 1 q RIGHT COUNT 2")) {
          if (blocking.startsWith("BLMPOP") && !exactDeadlines(redis)) {
            continue;
          }
          run.client().call("DEL", "q");
          CompletableFuture<Object> served =
              CompletableFuture.supplyAsync(() -> other.call(blocking.split(" ")));
          await().until(() -> run.client().text("INFO", "clients").contains("blocked_clients:1"));
          run.client().call("RPUSH", "q", "a", "b", "c");
          assertThat(served).succeedsWithin(Duration.ofSeconds(5)).isNotNull();
        }
        run.run(0);
        assertThat(run.redis().differencesFrom(run.shadow())).isEmpty();
        assertThat(run.redis().differencesFrom(run.model())).isEmpty();
        assertThat(run.interpreter().unsupported().counts()).isEmpty();
        assertThat(run.shadow().key(0, Bytes.utf8("q")).count())
            .isEqualTo(exactDeadlines(redis) ? 1 : 2);
        assertThat(run.shadow().key(0, Bytes.utf8("kept")).count()).isEqualTo(3);
      } finally {
        run.close();
      }
    }
  }

  @Test
  void theCheckerFindsAnEventThatWasNotPublished() {
    int[] count = {0};
    DifferentialRun run =
        inMemory(current, 31, Range.LONG_VALUES)
            .hiding(event -> event.change() instanceof Change.SetAdd && ++count[0] % 3 == 0);
    try {
      assertThatThrownBy(() -> run.run(STEPS)).isInstanceOf(AssertionError.class);
    } finally {
      run.close();
    }
  }

  @Test
  void theCheckerFindsAShadowThatIsWrong() {
    DifferentialRun run = inMemory(current, 32, Range.LONG_VALUES);
    try {
      run.run(100);
      run.shadow().key(1, Bytes.utf8("planted")).addMember(Bytes.utf8("m"));
      assertThat(run.redis().differencesFrom(run.shadow())).hasSize(1);
    } finally {
      run.close();
    }
  }
}
