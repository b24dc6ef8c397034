package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.sandbox.Ports;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole sandbox in a process of its own, used as a user would. */
class SandboxIT {
  private static final Duration START = Duration.ofMinutes(4);
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int SIGTERM_STATUS = 143;

  @TempDir Path directory;
  private final RedisClient client = RedisClient.create();
  private final List<CommandProcess> started = new ArrayList<>();

  @AfterEach
  void stop() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
    started.forEach(CommandProcess::close);
  }

  @Test
  void writesAreSeenElsewhereAlsoAfterACutAndNothingIsLeftBehind() throws Exception {
    CommandProcess sandbox = start("first", directory.resolve("ready.json"));
    JsonNode ready = ready();
    assertThat(ready.path("pid").asLong()).isEqualTo(sandbox.pid());
    String http = ready.path("http").asText();
    RedisCommands<String, String> east = redis(ready, 0);
    RedisCommands<String, String> west = redis(ready, 1);

    east.set("greeting", "hello");
    await().atMost(SOON).until(() -> "hello".equals(west.get("greeting")));

    assertThat(Executed.of("wan", "cut", "us-east", "eu-west", "--http", http).status()).isZero();
    east.set("k", "east");
    west.set("k", "west");
    east.incrby("n", 3);
    west.incrby("n", 4);
    Executed cannotTell = Executed.of("verify", "--timeout", "1s", "--http", http);
    assertThat(cannotTell.status()).as(cannotTell.out()).isEqualTo(ExitCodes.FAILURE);
    assertThat(Executed.of("wan", "heal", "--http", http).status()).isZero();

    Executed verified = Executed.of("verify", "--timeout", "90s", "--http", http);
    assertThat(verified.status()).as(verified.out() + verified.err()).isEqualTo(ExitCodes.OK);
    // Written within a millisecond of each other: either stamp may be the newer.
    assertThat(east.get("k")).isEqualTo(west.get("k")).isIn("east", "west");
    assertThat(east.get("n")).isEqualTo(west.get("n")).isEqualTo("7");
    Executed beyond = Executed.of("explain", "k", "--db", "99", "--http", http);
    assertThat(beyond.status()).isEqualTo(ExitCodes.FAILURE);
    assertThat(beyond.err()).contains("could not be read from every Redis", "out of range");
    Executed explained = Executed.of("explain", "k", "--http", http);
    assertThat(explained.out())
        .containsAnyOf(
            "of concurrent writes the newest stamp wins, over ",
            "of concurrent writes with equal stamps the smaller region id wins, over ");
    JsonNode stats =
        new ObjectMapper().readTree(Executed.of("stats", "-o", "json", "--http", http).out());
    JsonNode eastStats = stats.path("regions").path("us-east");
    assertThat(eastStats.path("captured").asLong()).isEqualTo(3);
    assertThat(eastStats.path("applied").asLong()).isEqualTo(2);
    assertThat(eastStats.path("conflicts").asLong()).isEqualTo(1);
    assertThat(stats.path("pairs")).hasSize(2);

    benchGivesEveryFigure(http);
    List<ProcessHandle> children = sandbox.descendants();
    assertThat(children).isNotEmpty();
    int status = sandbox.terminate(SOON);

    assertThat(status).isEqualTo(SIGTERM_STATUS);
    await().atMost(SOON).until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
    assertThat(directory.resolve("ready.json")).doesNotExist();
    assertThat(sandbox.out()).contains("redis-cli").contains("Ctrl-C stops everything.");
    assertThat(sandbox.err()).contains("stopped");
  }

  private static void benchGivesEveryFigure(String http) throws IOException {
    String load = "--rate 300 --seconds 2 --warmup 1 --keys 50 --value-bytes 64 --from us-east";
    String mix = "--mix set,incr,hset,sadd,zadd --baseline replica --output json";
    Executed bench = Executed.of(("bench " + load + " " + mix + " --http " + http).split(" "));

    assertThat(bench.status()).as(bench.err()).isEqualTo(ExitCodes.OK);
    JsonNode figures = new ObjectMapper().readTree(bench.out());
    assertThat(figures.path("writes_per_s").asDouble()).isBetween(100.0, 400.0);
    JsonNode west = figures.path("regions").path("eu-west");
    assertThat(west.path("applied_per_s").asDouble()).isPositive();
    for (JsonNode lag : List.of(west.path("lag_ms"), figures.path("baseline").path("lag_ms"))) {
      assertThat(lag.path("samples").asLong()).isGreaterThan(20);
      assertThat(lag.path("p50").asDouble()).isPositive();
      assertThat(lag.path("p99").asDouble()).isGreaterThanOrEqualTo(lag.path("p50").asDouble());
      assertThat(lag.path("max").asDouble()).isGreaterThanOrEqualTo(lag.path("p99").asDouble());
    }
    JsonNode wait = figures.path("regions").path("us-east").path("wait_ms");
    assertThat(wait.path("samples").asLong()).isPositive();
    assertThat(wait.path("withheld").asLong()).isZero();
    assertThat(wait.path("p50").asDouble()).isPositive();
    assertThat(west.has("wait_ms")).as("nobody writes in eu-west").isFalse();
    for (String cost :
        List.of("redis_cpu_us_per_write", "cpu_us_per_change", "wan_bytes_per_change")) {
      assertThat(figures.path(cost).asDouble()).as(cost).isPositive();
    }
    for (String plain : List.of("writes_per_s", "redis_cpu_us_per_write")) {
      assertThat(figures.path("baseline").path(plain).asDouble()).as(plain).isPositive();
    }
    Executed verified = Executed.of("verify", "--http", http);
    assertThat(verified.status()).as(verified.out() + verified.err()).isEqualTo(ExitCodes.OK);
  }

  @Test
  void nextStartInTheSameDirectoryGoesOnAfterKill9() throws Exception {
    Path data = directory.resolve("data");
    CommandProcess killed =
        start("killed", directory.resolve("ready.json"), "--dir", data.toString());
    RedisCommands<String, String> before = redis(ready(), 0);
    before.set("kept", "value");
    before.incrby("n", 5);
    RedisCommands<String, String> other = redis(ready(), 1);
    await().atMost(SOON).until(() -> "5".equals(other.get("n")));
    Executed quiet = Executed.of("verify", "--http", ready().path("http").asText());
    assertThat(quiet.status()).as(quiet.out() + quiet.err()).isEqualTo(ExitCodes.OK);
    // The Redis servers end with the JVM that started them.
    killed.kill9();
    Files.delete(directory.resolve("ready.json"));

    CommandProcess again =
        start("again", directory.resolve("ready.json"), "--dir", data.toString());
    JsonNode ready = ready();
    RedisCommands<String, String> east = redis(ready, 0);
    RedisCommands<String, String> west = redis(ready, 1);
    assertThat(again.out()).contains("Went on with the data in");
    assertThat(east.get("kept")).isEqualTo("value");
    west.incrby("n", 2);
    await().atMost(SOON).until(() -> "7".equals(east.get("n")));

    Executed verified =
        Executed.of("verify", "--timeout", "90s", "--http", ready.path("http").asText());
    assertThat(verified.status()).as(verified.out() + verified.err()).isEqualTo(ExitCodes.OK);
  }

  @Test
  void aBrokerThatHasLostItsDiskEndsTheSandboxWithASentence() throws Exception {
    Path data = directory.resolve("data");
    CommandProcess sandbox =
        start("faulty", directory.resolve("ready.json"), "--dir", data.toString());
    List<ProcessHandle> children = sandbox.descendants();
    // Kafka notices when it next writes a checkpoint, every five seconds.
    Files.move(data.resolve("eu-west").resolve("kafka"), directory.resolve("lost"));

    assertThat(sandbox.awaitEnd(SOON)).isEqualTo(ExitCodes.FAILURE);
    assertThat(sandbox.err()).contains("stopping").contains("An embedded Kafka broker gave up");
    assertThat(directory.resolve("ready.json")).doesNotExist();
    await().atMost(SOON).until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
  }

  private CommandProcess start(String name, Path readyFile, String... more) {
    List<String> arguments = new ArrayList<>();
    int[] ports = Ports.free(3);
    arguments.addAll(List.of("sandbox", "--regions", "us-east,eu-west", "--partitions", "2"));
    arguments.addAll(List.of("--redis-ports", ports[0] + "," + ports[1]));
    arguments.addAll(List.of("--http-port", String.valueOf(ports[2]), "--wan-latency", "5ms"));
    arguments.addAll(List.of("--ready-file", readyFile.toString()));
    arguments.addAll(List.of(more));
    CommandProcess process =
        CommandProcess.start(directory, name, arguments.toArray(String[]::new));
    started.add(process);
    process.awaitFile(readyFile, START);
    return process;
  }

  private JsonNode ready() throws IOException {
    return new ObjectMapper().readTree(directory.resolve("ready.json").toFile());
  }

  private RedisCommands<String, String> redis(JsonNode ready, int region) {
    StatefulRedisConnection<String, String> connection =
        client.connect(RedisURI.create(ready.path("regions").get(region).path("redis").asText()));
    return connection.sync();
  }
}
