package io.crosstide.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lettuce.core.api.StatefulRedisConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens from one real Redis to another over a link that is this test: it carries them by hand. */
class TokenWatchIT {
  private static final Duration SOON = Duration.ofMinutes(1);

  /** What the histogram keeps is exact to three digits. */
  private static final double ROUNDING = 0.998;

  @TempDir Path directory;
  private BenchRedis east;
  private BenchRedis west;
  private StatefulRedisConnection<byte[], byte[]> link;
  private TokenClock clock;
  private long carried;

  @BeforeEach
  void start() {
    east = new BenchRedis(directory.resolve("east"));
    west = new BenchRedis(directory.resolve("west"));
    link = west.connect();
    clock = new TokenClock("it", east.connect());
    clock.start();
    awaitTokens(1);
    carried = clock.last() - 1;
  }

  @AfterEach
  void stop() {
    clock.close();
    west.close();
    east.close();
  }

  private TokenWatch watch(Duration delay) {
    TokenWatch watch = new TokenWatch("it", clock, west.connect(), delay.toNanos());
    watch.start();
    return watch;
  }

  private void awaitTokens(int more) {
    long until = clock.last() + more;
    await().atMost(SOON).until(() -> clock.last() >= until);
  }

  private void carry(long number) {
    link.sync().set(clock.key(number), Long.toString(number).getBytes(StandardCharsets.US_ASCII));
  }

  private void carryAll() {
    while (carried < clock.last()) {
      carry(++carried);
    }
  }

  /** Carries tokens until all that {@code watch} is to record were seen. */
  private void carryUntilComplete(TokenWatch watch) {
    watch.endRecording();
    await()
        .atMost(SOON)
        .until(
            () -> {
              carryAll();
              return watch.isComplete();
            });
  }

  /** Begins to record, and carries tokens until {@code watch} is known to be at it. */
  private void carryUntilRecorded(TokenWatch watch) {
    watch.beginRecording();
    await()
        .atMost(SOON)
        .until(
            () -> {
              carryAll();
              return watch.lagMicros().getTotalCount() > 0;
            });
  }

  private static double millis(long micros) {
    return micros / 1_000.0;
  }

  @Test
  void aTokenThatIsLateIsRecordedWithNoLessThanItsLag() {
    try (TokenWatch watch = watch(Duration.ZERO)) {
      carryUntilRecorded(watch);
      long held = carried + 1;
      awaitTokens(25);
      long heldBack = System.nanoTime() - clock.sentNanos(held);
      carryUntilComplete(watch);
      assertThat(millis(watch.lagMicros().getMaxValue()))
          .isGreaterThanOrEqualTo(heldBack / 1e6 * ROUNDING);
    }
  }

  @Test
  void everyTokenIsRecordedOnceAndOnlyWhileItIsAskedFor() {
    try (TokenWatch watch = watch(Duration.ZERO)) {
      awaitTokens(5);
      carryAll();
      assertThat(watch.lagMicros().getTotalCount()).isZero();
      long fromMin = clock.last();
      watch.beginRecording();
      long fromMax = clock.last();
      awaitTokens(10);
      carryAll();
      long toMin = clock.last();
      watch.endRecording();
      long toMax = clock.last();
      awaitTokens(10);
      await()
          .atMost(SOON)
          .until(
              () -> {
                // The same tokens again, as a bridge that starts anew would bring them.
                for (long again = carried - 5; again <= carried; again++) {
                  carry(again);
                }
                carryAll();
                return watch.isComplete();
              });
      awaitTokens(5);
      carryAll();
      assertThat(watch.lagMicros().getTotalCount()).isBetween(toMin - fromMax, toMax - fromMin);
    }
  }

  @Test
  void aTokenThatIsLostIsSeenWithTheNextOneOnItsKey() {
    try (TokenWatch watch = watch(Duration.ZERO)) {
      carryUntilRecorded(watch);
      awaitTokens(1);
      long lost = ++carried;
      awaitTokens(TokenClock.KEYS);
      watch.endRecording();
      while (carried < lost + TokenClock.KEYS - 1) {
        carry(++carried);
      }
      awaitTokens(1);
      assertThat(watch.isComplete()).isFalse();
      long lag = clock.sentNanos(lost + TokenClock.KEYS) - clock.sentNanos(lost);
      carryUntilComplete(watch);
      assertThat(millis(watch.lagMicros().getMaxValue()))
          .isGreaterThanOrEqualTo(lag / 1e6 * ROUNDING);
    }
  }

  @Test
  void theLinksDelayIsNotCounted() {
    try (TokenWatch watch = watch(Duration.ofMillis(100))) {
      watch.beginRecording();
      long first = clock.last() + 1;
      awaitTokens(10);
      carryUntilComplete(watch);
      double total = (System.nanoTime() - clock.sentNanos(first)) / 1e6;
      assertThat(millis(watch.lagMicros().getMaxValue())).isLessThanOrEqualTo(total - 100 + 1);
    }
  }

  @Test
  void anEarlierRunsTokensAreNotTakenForThisOnes() {
    for (long number = carried; number < carried + TokenClock.KEYS; number++) {
      link.sync().set(clock.key(number), "17".getBytes(StandardCharsets.US_ASCII));
    }
    try (TokenWatch watch = watch(Duration.ZERO)) {
      watch.beginRecording();
      awaitTokens(10);
      assertThat(watch.lagMicros().getTotalCount()).isZero();
      carryUntilComplete(watch);
      assertThat(watch.lagMicros().getTotalCount()).isPositive();
    }
  }

  @Test
  void bothGoOnAfterTheirRedisWasAway() {
    try (TokenWatch watch = watch(Duration.ZERO)) {
      carryUntilRecorded(watch);
      awaitTokens(3);
      carryAll();
      west.kill9();
      awaitTokens(3);
      west.startAgain();
      east.kill9();
      east.startAgain();
      awaitTokens(3);
      carryUntilComplete(watch);
      assertThat(watch.lagMicros().getTotalCount()).isGreaterThan(6);
    }
  }

  @Test
  void refusalsDoNotEndTheClock() {
    try (StatefulRedisConnection<byte[], byte[]> admin = east.connect()) {
      admin.sync().configSet("maxmemory", "1");
      await().atMost(SOON).until(() -> admin.sync().info("errorstats").contains("OOM"));
      admin.sync().configSet("maxmemory", "0");
      awaitTokens(3);
    }
  }

  @Test
  void aWriteThatNoReplicaHasIsCountedAsWithheld() {
    try (WaitClock wait = new WaitClock("it", east.connect())) {
      wait.beginRecording();
      wait.start();
      await().atMost(SOON).until(() -> recorded(wait).path("withheld").asLong() > 0);
      assertThat(recorded(wait).path("samples").asLong()).isZero();
      assertThat(recorded(wait).path("p50").isNull()).isTrue();
    }
  }

  private static ObjectNode recorded(WaitClock wait) {
    return wait.json(new ObjectMapper());
  }

  @Test
  void theClockMakesUpForNothing() {
    long first = clock.last();
    east.connect().sync().clientPause(500);
    awaitTokens(20);
    long last = clock.last();
    long gapMax = 0;
    for (long number = first; number < last; number++) {
      gapMax = Math.max(gapMax, clock.sentNanos(number + 1) - clock.sentNanos(number));
    }
    long beating = clock.sentNanos(last) - clock.sentNanos(first) - gapMax;
    assertThat(last - first).isLessThanOrEqualTo(TimeUnit.NANOSECONDS.toMillis(beating) / 20 + 3);
  }
}
