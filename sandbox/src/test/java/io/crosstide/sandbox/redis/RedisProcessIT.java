package io.crosstide.sandbox.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RedisProcessIT {
  private static final Duration READY = Duration.ofSeconds(20);
  @TempDir Path dir;

  @Test
  void servesClientsAndStopsWithoutLeavingAProcess() {
    RedisProcess redis = RedisProcess.startOnFreePort(dir);
    long pid = redis.pid();
    long watcher = redis.watcherPid();
    assertThat(onRedis(redis, c -> c.sync().set("k", "v"))).isEqualTo("OK");
    redis.stop();
    assertThat(isAlive(pid)).isFalse();
    assertThat(isAlive(watcher)).isFalse();
    assertThat(Ports.isFree(redis.port())).isTrue();
  }

  @Test
  void keepsAcknowledgedWritesOverKill9WhenPersistent() {
    try (RedisProcess redis = start(binary(), true)) {
      onRedis(redis, c -> c.sync().set("k", "v"));
      redis.kill9();
      assertThat(redis.isRunning()).isFalse();
      redis.start().awaitReady(READY);
      assertThat(onRedis(redis, c -> c.sync().get("k"))).isEqualTo("v");
    }
  }

  @Test
  void runsTheEmbedded62() {
    RedisBinary embedded = RedisBinary.find(null, dir.resolve("bin"), "");
    assertThat(embedded.embedded()).isTrue();
    assertThat(embedded.version().isAtLeast(6, 2)).isTrue();
    try (RedisProcess redis = start(embedded, true)) {
      assertThat(onRedis(redis, c -> c.sync().info("server"))).contains("redis_version:6.2");
    }
  }

  @Test
  void endsTheServerWhenTheJvmIsKilled() throws Exception {
    Process jvm = startInOtherJvm();
    long[] pids = readPids(jvm);
    kill9(jvm.pid());
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(isAlive(pids[0])).isFalse());
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(isAlive(pids[1])).isFalse());
  }

  @Test
  void endsAServerThatSurvivedBothJvmAndWatcherAtTheNextStart() throws Exception {
    Process jvm = startInOtherJvm();
    long[] pids = readPids(jvm);
    kill9(pids[1]);
    kill9(jvm.pid());
    jvm.waitFor();
    assertThat(isAlive(pids[0])).isTrue();
    int port = Integer.parseInt(Files.readString(dir.resolve("port")));
    try (RedisProcess redis = new RedisProcess(new RedisConfig(binary(), dir, port, true))) {
      redis.start().awaitReady(READY);
      assertThat(isAlive(pids[0])).isFalse();
      assertThat(redis.pid()).isNotEqualTo(pids[0]);
    }
  }

  @Test
  void leavesAStrangersProcessAloneWhenThePidFileNamesIt() throws Exception {
    Process stranger = new ProcessBuilder("sleep", "60").start();
    try {
      Files.writeString(dir.resolve("redis.pid"), String.valueOf(stranger.pid()));
      try (RedisProcess redis = start(binary(), false)) {
        assertThat(redis.isRunning()).isTrue();
        assertThat(stranger.isAlive()).isTrue();
      }
    } finally {
      stranger.destroyForcibly();
    }
  }

  @Test
  void namesThePortThatIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(Ports.address(0));
      RedisProcess redis =
          new RedisProcess(new RedisConfig(binary(), dir, taken.getLocalPort(), false));
      assertThatThrownBy(redis::start)
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("Port " + taken.getLocalPort())
          .hasMessageContaining("--redis-ports");
    }
  }

  @Test
  void saysWhatTheLogSaysWhenTheServerRefusesItsConfiguration() {
    RedisConfig config =
        new RedisConfig(binary(), dir, Ports.free(), false).with("maxmemory", "nonsense");
    try (RedisProcess redis = new RedisProcess(config)) {
      redis.start();
      assertThatThrownBy(() -> redis.awaitReady(READY))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("nonsense");
    }
  }

  @Test
  void refusesAnExplicitProgramThatIsMissingOrNoRedis() {
    assertThatThrownBy(() -> RedisBinary.find(dir.resolve("nowhere"), dir))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("--redis-server");
    assertThatThrownBy(() -> RedisBinary.find(Path.of("/bin/sh"), dir))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("--version");
  }

  private RedisProcess start(RedisBinary binary, boolean persistent) {
    RedisProcess redis = new RedisProcess(new RedisConfig(binary, dir, Ports.free(), persistent));
    redis.start().awaitReady(READY);
    return redis;
  }

  private RedisBinary binary() {
    return RedisBinary.find(null, dir.resolve("bin"));
  }

  private static String onRedis(
      RedisProcess redis, Function<StatefulRedisConnection<String, String>, String> use) {
    RedisClient client = RedisClient.create(redis.uri());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      return use.apply(connection);
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  private Process startInOtherJvm() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            OwnerMain.class.getName(),
            dir.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static long[] readPids(Process jvm) throws IOException {
    BufferedReader out =
        new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    if (line == null) {
      throw new AssertionError("the other JVM ended without starting Redis");
    }
    List<String> words = List.of(line.split(" "));
    return new long[] {Long.parseLong(words.get(0)), Long.parseLong(words.get(1))};
  }

  private static void kill9(long pid) {
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
  }

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  /** Owns a Redis in a JVM that the test kills. */
  static final class OwnerMain {
    private OwnerMain() {}

    public static void main(String[] args) throws Exception {
      Path dir = Path.of(args[0]);
      RedisBinary binary = RedisBinary.find(null, dir.resolve("bin"));
      int port = Ports.free();
      Files.writeString(dir.resolve("port"), String.valueOf(port));
      RedisProcess redis = new RedisProcess(new RedisConfig(binary, dir, port, true));
      redis.start().awaitReady(READY);
      System.out.println(redis.pid() + " " + redis.watcherPid());
      System.out.flush();
      new java.util.concurrent.CountDownLatch(1).await();
    }
  }
}
