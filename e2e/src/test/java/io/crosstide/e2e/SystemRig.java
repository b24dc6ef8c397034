package io.crosstide.e2e;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.api.ApiClient;
import io.lettuce.core.RedisConnectionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Several regions, their Redis servers and the links between them, in the hands of one test at a
 * time.
 */
final class SystemRig implements AutoCloseable {
  private static final Duration SETTLE = Duration.ofSeconds(90);
  private static final Duration SOON = Duration.ofSeconds(30);

  private final Path directory;
  private final int count;
  private final List<RegionClient> regions = new ArrayList<>();
  private final List<Process> restarted = new ArrayList<>();
  private SandboxProcess sandbox;
  private ApiClient api;

  private SystemRig(Path directory, int count) {
    this.directory = directory;
    this.count = count;
    this.sandbox = SandboxProcess.start(directory, count);
    this.api = connect();
  }

  static SystemRig start(Path directory, int regions) {
    return new SystemRig(directory, regions);
  }

  private ApiClient connect() {
    for (JsonNode region : sandbox.ready().path("regions")) {
      regions.add(RegionClient.of(region));
    }
    return new ApiClient(URI.create(sandbox.ready().path("http").asText()));
  }

  /**
   * Kills everything with SIGKILL and starts it again from what is on disk.
   *
   * @param between run when everything is dead
   */
  void killAndRestart(Runnable between) {
    sandbox.kill9();
    disconnect();
    between.run();
    sandbox = SandboxProcess.start(directory, count);
    api = connect();
  }

  /**
   * Kills one region's Redis with SIGKILL and starts it again with its append-only file; every role
   * lives on. Returns once capture follows it again.
   *
   * @param between run when it is dead
   */
  void killAndRestartRedis(RegionClient region, Runnable between) {
    RegionClient.Server server = region.server();
    long resyncs = counters(region).path("full_resyncs").asLong();
    ProcessHandle redis = ProcessHandle.of(server.pid()).orElseThrow();
    redis.destroyForcibly();
    await("Redis of " + region.name() + " is dead").atMost(SOON).until(() -> !redis.isAlive());
    region.close();
    between.run();
    try {
      restarted.add(
          new ProcessBuilder(server.executable(), server.configFile())
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int place = region.id() - 1;
    await("Redis of " + region.name() + " answers")
        .atMost(SOON)
        .ignoreException(RedisConnectionException.class)
        .until(
            () -> {
              regions.set(place, RegionClient.of(sandbox.ready().path("regions").get(place)));
              return true;
            });
    await("capture of " + region.name() + " has compared the snapshot")
        .atMost(SOON)
        .until(
            () ->
                counters(region).path("full_resyncs").asLong() > resyncs
                    && capture(region).equals("streaming"));
  }

  private JsonNode counters(RegionClient region) {
    return stats().path("regions").path(region.name());
  }

  private String capture(RegionClient region) {
    return counters(region).path("roles").path("capture").path("state").asText();
  }

  /**
   * @param id from 1
   */
  RegionClient region(int id) {
    return regions.get(id - 1);
  }

  List<RegionClient> regions() {
    return regions;
  }

  /** Cuts every link: whatever the regions do from now on is concurrent. */
  void cut() {
    for (RegionClient a : regions) {
      for (RegionClient b : regions) {
        if (a.id() < b.id()) {
          cut(a, b);
        }
      }
    }
  }

  void cut(RegionClient a, RegionClient b) {
    ObjectNode pair = JsonNodeFactory.instance.objectNode();
    api.post("/api/v1/wan/cut", pair.put("a", a.name()).put("b", b.name()));
  }

  void heal() {
    api.post("/api/v1/wan/heal", JsonNodeFactory.instance.objectNode());
  }

  /**
   * Heals all links and waits until everything written is applied everywhere and a verification has
   * found all regions equal.
   */
  void settle() {
    heal();
    JsonNode result = verify();
    if (!result.path("result").asText().equals("equal")) {
      throw new AssertionError(result.toPrettyString() + "\n" + state());
    }
  }

  private JsonNode verify() {
    ObjectNode body = JsonNodeFactory.instance.objectNode().put("timeout_ms", SETTLE.toMillis());
    long id = api.post("/api/v1/verify", body).path("id").asLong();
    JsonNode[] last = new JsonNode[1];
    await("verification " + id)
        .atMost(SETTLE.plus(SOON))
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              last[0] = api.get("/api/v1/verify/" + id);
              return last[0].path("state").asText().equals("done");
            });
    return last[0];
  }

  /**
   * Waits until whatever is written next, in whichever region, is stamped later than all that was
   * written before: a stamp is at most one beacon's period beside its write.
   */
  void later() {
    long now = System.currentTimeMillis();
    await("beacons later than " + now)
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> regions.stream().allMatch(region -> region.beaconMillis() > now + 100));
  }

  /** Everything counted so far, by region under {@code regions}. */
  JsonNode stats() {
    return api.get("/api/v1/stats");
  }

  /** Conflicts that merging in {@code region} has recorded so far. */
  long conflicts(RegionClient region) {
    return stats().path("regions").path(region.name()).path("conflicts").asLong();
  }

  /** What is known about {@code key}, for failed tests. */
  String explain(String key) {
    return api.get("/api/v1/explain?key=" + ApiClient.encoded(key) + "&db=0").toPrettyString();
  }

  /** Counters and the last log lines, for failed tests. */
  String state() {
    return stats().toPrettyString() + "\n" + sandbox.logTail();
  }

  private void disconnect() {
    regions.forEach(RegionClient::close);
    regions.clear();
  }

  @Override
  public void close() {
    disconnect();
    try {
      sandbox.close();
    } finally {
      restarted.forEach(Process::destroyForcibly);
    }
  }
}
