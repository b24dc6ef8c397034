package io.crosstide.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandType;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WriterIT {
  private static final long RATE = 5_000;
  private static final Duration SOON = Duration.ofMinutes(1);

  private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  @TempDir Path directory;

  private static CommandSource increments() {
    List<CommandKind> mix = List.of(CommandKind.INCR);
    return new CommandSource(new Load(RATE, Duration.ZERO, Duration.ZERO, mix, 4, 16), "it", 1);
  }

  @Test
  void whatBecameDueWhileRedisStoodStillIsWrittenAfterwards() throws Exception {
    try (BenchRedis redis = new BenchRedis(directory);
        StatefulRedisConnection<byte[], byte[]> admin = redis.connect();
        Writer writer = new Writer("it", redis.connect(), increments(), RATE)) {
      long begin = System.nanoTime();
      writer.start();
      await().atMost(SOON).until(() -> writer.answered() > 0);
      admin.sync().clientPause(1_000);
      admin.sync().ping();
      await().atMost(SOON).until(() -> writer.answered() > RATE);
      // What was due in that second, more than may be unanswered, is never left out.
      await()
          .atMost(SOON)
          .until(() -> writer.answered() >= due(System.nanoTime() - begin - GRACE_NANOS));
      long answered = writer.answered();
      assertThat(answered).isLessThanOrEqualTo(due(System.nanoTime() - begin));
      writer.close();
      assertThat(writer.errors()).isZero();
      assertThat(sum(admin)).isEqualTo(writer.answered());
    }
  }

  private static long due(long nanos) {
    return nanos * RATE / TimeUnit.SECONDS.toNanos(1);
  }

  private static long sum(StatefulRedisConnection<byte[], byte[]> redis) {
    long sum = 0;
    for (int key = 0; key < 4; key++) {
      byte[] value = redis.sync().get(("bench:incr:" + key).getBytes(StandardCharsets.US_ASCII));
      sum += Long.parseLong(new String(value, StandardCharsets.US_ASCII));
    }
    return sum;
  }

  @Test
  void noMoreThanTheBoundIsUnanswered() {
    Unanswering redis = new Unanswering();
    try (Writer writer = new Writer("it", redis.connection(), increments(), Load.MAX)) {
      writer.start();
      await().atMost(SOON).until(() -> redis.sent.size() >= 2_048);
      redis.answer(100);
      await().atMost(SOON).until(() -> redis.sent.size() >= 2_048);
      assertThat(redis.sent).hasSize(2_048);
      assertThat(writer.answered()).isEqualTo(100);
      redis.answersFromNowOn = true;
      redis.answer(Integer.MAX_VALUE);
    }
  }

  @Test
  void refusalsAreCountedAndTheLastIsKept() {
    Unanswering redis = new Unanswering();
    try (Writer writer = new Writer("it", redis.connection(), increments(), Load.MAX)) {
      writer.start();
      await().atMost(SOON).until(() -> redis.sent.size() >= 2_048);
      redis.sent.remove().completeExceptionally(new IllegalStateException("OOM"));
      assertThat(writer.errors()).isEqualTo(1);
      assertThat(writer.lastError()).hasMessage("OOM");
      assertThat(writer.answered()).isZero();
      redis.answersFromNowOn = true;
      redis.answer(Integer.MAX_VALUE);
    }
  }

  @Test
  void aRedisThatNeverAnswersDoesNotHoldUpTheEnd() {
    Unanswering redis = new Unanswering();
    Writer writer = new Writer("it", redis.connection(), increments(), Load.MAX);
    writer.start();
    await().atMost(SOON).until(() -> redis.sent.size() >= 2_048);
    assertTimeoutPreemptively(SOON, writer::close);
    assertThat(writer.errors()).isEqualTo(2_048);
  }

  /** A connection whose writes are answered when the test says so. */
  private static final class Unanswering {
    private final Queue<AsyncCommand<byte[], byte[], Long>> sent = new ConcurrentLinkedQueue<>();
    private volatile boolean answersFromNowOn;

    void answer(int writes) {
      for (int i = 0; i < writes && !sent.isEmpty(); i++) {
        sent.remove().complete(1L);
      }
    }

    private AsyncCommand<byte[], byte[], Long> write() {
      AsyncCommand<byte[], byte[], Long> command =
          new AsyncCommand<>(new Command<>(CommandType.INCR, null));
      if (answersFromNowOn) {
        command.complete(1L);
      } else {
        sent.add(command);
      }
      return command;
    }

    /** The writer looks at what its writes answer. */
    @SuppressWarnings({"unchecked", "FutureReturnValueIgnored"})
    StatefulRedisConnection<byte[], byte[]> connection() {
      Object commands = proxy(RedisAsyncCommands.class, this::write);
      return (StatefulRedisConnection<byte[], byte[]>)
          proxy(StatefulRedisConnection.class, () -> commands);
    }

    private static Object proxy(Class<?> type, Supplier<?> answer) {
      return Proxy.newProxyInstance(
          WriterIT.class.getClassLoader(),
          new Class<?>[] {type},
          (proxy, method, arguments) -> method.getReturnType() == void.class ? null : answer.get());
    }
  }
}
