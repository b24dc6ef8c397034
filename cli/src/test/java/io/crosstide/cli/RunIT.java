package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.sandbox.Infrastructure;
import io.crosstide.sandbox.InfrastructureConfig;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxRegion;
import io.crosstide.sandbox.StartupProgress;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A deployment: one region with all roles in one process, one with a process per role. */
class RunIT {
  private static final Duration SOON = Duration.ofSeconds(90);
  private static final int PORTS_PER_REGION = 4;

  @TempDir Path directory;
  private final RedisClient client = RedisClient.create();
  private final List<CommandProcess> started = new ArrayList<>();
  private Infrastructure infrastructure = startInfrastructure();
  private int[] ports = new int[0];
  private Path config = Path.of("");

  private static Infrastructure startInfrastructure() {
    return Infrastructure.start(
        new InfrastructureConfig(
            List.of(
                new InfrastructureConfig.Region("us-east", 1, 0),
                new InfrastructureConfig.Region("eu-west", 2, 0)),
            null,
            2,
            Duration.ofMillis(2),
            null),
        StartupProgress.SILENT);
  }

  @BeforeEach
  void writeConfig() throws Exception {
    ports = Ports.free(2 * PORTS_PER_REGION);
    StringBuilder yaml = new StringBuilder("partitions: 2\n");
    yaml.append("data-dir: ").append(directory.resolve("data")).append("\nregions:\n");
    for (int i = 0; i < 2; i++) {
      SandboxRegion region = infrastructure.regions().get(i);
      int port = i * PORTS_PER_REGION;
      yaml.append(
          """
            - name: %s
              id: %d
              redis: { uri: "%s" }
              kafka: { bootstrap: "%s" }
              registry: { url: "%s" }
              http: { port: %d, capture-port: %d, bridge-port: %d, streams-port: %d }
          """
              .formatted(
                  region.name(),
                  region.id(),
                  region.redisUri(),
                  region.kafkaBootstrap(),
                  infrastructure.registryUrl(),
                  ports[port],
                  ports[port + 1],
                  ports[port + 2],
                  ports[port + 3]));
    }
    config = directory.resolve("crosstide.yaml");
    Files.writeString(config, yaml);
  }

  @AfterEach
  void stop() {
    started.forEach(CommandProcess::close);
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
    infrastructure.close();
  }

  @Test
  void rolesReplicateAndAnyProcessAnswersForAll() throws Exception {
    run("us-east", "capture,bridge,streams");
    run("eu-west", "capture");
    run("eu-west", "bridge");
    CommandProcess streams = run("eu-west", "streams");
    RedisCommands<String, String> east = redis(0);
    RedisCommands<String, String> west = redis(1);

    east.hset("h", "f", "east");
    west.incr("n");
    await().atMost(SOON).until(() -> "east".equals(west.hget("h", "f")));
    await().atMost(SOON).until(() -> "1".equals(east.get("n")));

    // The capture process of eu-west, which has no merged state of its own, answers for everyone.
    String http = "http://127.0.0.1:" + ports[PORTS_PER_REGION + 1];
    Executed verified = Executed.of("verify", "--timeout", "60s", "--http", http);
    assertThat(verified.status()).as(verified.out() + verified.err()).isEqualTo(ExitCodes.OK);
    JsonNode stats =
        new ObjectMapper().readTree(Executed.of("stats", "-o", "json", "--http", http).out());
    assertThat(stats.path("pairs")).hasSize(2);
    for (String region : List.of("us-east", "eu-west")) {
      JsonNode one = stats.path("regions").path(region);
      assertThat(one.path("captured").asLong()).isEqualTo(1);
      assertThat(one.path("applied").asLong()).isEqualTo(1);
      assertThat(one.path("roles").properties()).hasSize(3);
    }
    Executed explained = Executed.of("explain", "n", "--http", http);
    assertThat(explained.out().split("merged  string = 1", -1)).as(explained.out()).hasSize(3);

    assertThat(streams.terminate(SOON)).isEqualTo(143);
    Executed partly = Executed.of("verify", "--timeout", "2s", "--http", http);
    assertThat(partly.status()).as(partly.out()).isEqualTo(ExitCodes.FAILURE);
  }

  private CommandProcess run(String region, String roles) {
    CommandProcess process =
        CommandProcess.start(
            directory,
            region + "-" + roles.replace(',', '-'),
            "run",
            "--config",
            config.toString(),
            "--region",
            region,
            "--roles",
            roles);
    started.add(process);
    return process;
  }

  private RedisCommands<String, String> redis(int region) {
    return client.connect(RedisURI.create(infrastructure.regions().get(region).redisUri())).sync();
  }
}
