package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.kafka.BrokerConfig;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.sandbox.registry.EmbeddedSchemaRegistry;
import io.crosstide.streams.topics.TopicsAdmin;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two regions, each role in a process and under a name of its own, with exactly the rights in Kafka
 * that {@code docs/reference/security.md} names.
 */
class LeastRightsIT {
  private static final Duration SOON = Duration.ofMinutes(3);
  private static final List<String> ROLES = List.of("capture", "bridge", "streams");
  private static final List<String> REGIONS = List.of("us-east", "eu-west");

  @TempDir Path directory;
  private final RedisClient client = RedisClient.create();
  private final List<AutoCloseable> started = new ArrayList<>();
  private final Map<String, EmbeddedBroker> brokers = new HashMap<>();
  private final Map<String, RedisProcess> redis = new HashMap<>();
  private final Map<String, Integer> kafkaPorts = new HashMap<>();
  private String registry = "";

  @BeforeEach
  void start() throws Exception {
    RedisBinary binary = RedisBinary.find(null, directory.resolve("bin"));
    for (String region : REGIONS) {
      EmbeddedBroker broker = broker(region);
      started.add(broker);
      brokers.put(region, broker);
      RedisProcess process =
          new RedisProcess(
                  new RedisConfig(binary, directory.resolve(region + "-redis"), Ports.free(), false)
                      .with("repl-diskless-sync-delay", "0"))
              .start();
      started.add(process);
      process.awaitReady(Duration.ofSeconds(20));
      redis.put(region, process);
    }
    EmbeddedSchemaRegistry embedded = EmbeddedSchemaRegistry.start(broker(0).bootstrapLan(), 0);
    started.add(embedded);
    registry = embedded.url().toString();
    for (String role : ROLES) {
      Files.writeString(config(role), yaml(role));
    }
  }

  private EmbeddedBroker broker(int at) {
    return java.util.Objects.requireNonNull(brokers.get(REGIONS.get(at)));
  }

  /** Serves the test itself without a login, and with all rights. */
  private EmbeddedBroker broker(String region) throws Exception {
    int secure = Ports.free();
    kafkaPorts.put(region, secure);
    BrokerConfig plain =
        BrokerConfig.onFreePorts(REGIONS.indexOf(region) + 1, directory.resolve(region + "-kafka"));
    StringBuilder users = new StringBuilder();
    for (String role : ROLES) {
      users.append(" user_").append(role).append("=\"secret\"");
    }
    EmbeddedBroker broker =
        new EmbeddedBroker(
                SecuredBrokers.config(plain, secure, "SASL_PLAINTEXT")
                    .with("listener.name.secure.sasl.enabled.mechanisms", "PLAIN")
                    .with(
                        "listener.name.secure.plain.sasl.jaas.config",
                        "org.apache.kafka.common.security.plain.PlainLoginModule required"
                            + users
                            + ";")
                    .with(
                        "authorizer.class.name",
                        "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
                    .with("super.users", "User:ANONYMOUS"))
            .start();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapLan()))) {
      new TopicsAdmin(admin).ensure(TopicsAdmin.ofRegion(region, REGIONS, 2, Duration.ofDays(1)));
      List<AclBinding> rights = new ArrayList<>();
      for (String role : ROLES) {
        rights.addAll(rights(role, region));
      }
      admin.createAcls(rights).all().get();
    }
    return broker;
  }

  /** What the document grants {@code role} in the Kafka of {@code region}. */
  private static List<AclBinding> rights(String role, String region) throws IOException {
    List<AclBinding> rights = new ArrayList<>();
    String other = REGIONS.get(1 - REGIONS.indexOf(region));
    if (role.equals("bridge")) {
      rights.addAll(rights(SecurityDocument.kafka("bridge, source"), role, region, other));
      rights.addAll(rights(SecurityDocument.kafka("bridge, target"), role, other, region));
    } else {
      rights.addAll(rights(SecurityDocument.kafka(role), role, region, other));
    }
    return rights;
  }

  /** Lines as {@code topic changes.REGION: Read, Describe}; a name that ends in * is a prefix. */
  private static List<AclBinding> rights(
      List<String> lines, String role, String region, String other) {
    List<AclBinding> rights = new ArrayList<>();
    for (String line : lines) {
      String kind = line.substring(0, line.indexOf(' '));
      String name =
          line.substring(line.indexOf(' ') + 1, line.indexOf(": "))
              .replace("REGION", region)
              .replace("TARGET", other);
      ResourcePattern resource =
          name.endsWith("*")
              ? new ResourcePattern(
                  type(kind), name.substring(0, name.length() - 1), PatternType.PREFIXED)
              : new ResourcePattern(type(kind), name, PatternType.LITERAL);
      for (String operation : line.substring(line.indexOf(": ") + 2).split(", ", -1)) {
        rights.add(
            new AclBinding(
                resource,
                new AccessControlEntry(
                    "User:" + role,
                    "*",
                    AclOperation.fromString(operation.strip()),
                    AclPermissionType.ALLOW)));
      }
    }
    assertThat(rights).isNotEmpty();
    return rights;
  }

  private static ResourceType type(String kind) {
    return switch (kind) {
      case "topic" -> ResourceType.TOPIC;
      case "group" -> ResourceType.GROUP;
      case "transactional-id" -> ResourceType.TRANSACTIONAL_ID;
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private Path config(String role) {
    return directory.resolve(role + ".yaml");
  }

  private String yaml(String role) {
    StringBuilder yaml = new StringBuilder("partitions: 2\ndata-dir: ");
    yaml.append(directory.resolve("data")).append("\nregions:\n");
    for (String region : REGIONS) {
      int[] http = Ports.free(4);
      yaml.append(
          """
            - name: %s
              id: %d
              redis: { uri: "%s" }
              kafka:
                bootstrap: 127.0.0.1:%d
                properties:
                  security.protocol: SASL_PLAINTEXT
                  sasl.mechanism: PLAIN
                  sasl.jaas.config: '%s required username="%s" password="secret";'
              registry: { url: "%s" }
              http: { port: %d, capture-port: %d, bridge-port: %d, streams-port: %d }
          """
              .formatted(
                  region,
                  REGIONS.indexOf(region) + 1,
                  java.util.Objects.requireNonNull(redis.get(region)).uri(),
                  kafkaPorts.get(region),
                  "org.apache.kafka.common.security.plain.PlainLoginModule",
                  role,
                  registry,
                  http[0],
                  http[1],
                  http[2],
                  http[3]));
    }
    return yaml.toString();
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = started.size() - 1; i >= 0; i--) {
      started.get(i).close();
    }
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
  }

  private CommandProcess run(String region, String role) {
    CommandProcess process =
        CommandProcess.start(
            directory,
            region + "-" + role + "-" + started.size(),
            "run",
            "--config",
            config(role).toString(),
            "--region",
            region,
            "--roles",
            role);
    started.add(process);
    return process;
  }

  private RedisCommands<String, String> redis(String region) {
    return client
        .connect(
            io.lettuce.core.RedisURI.create(
                java.util.Objects.requireNonNull(redis.get(region)).uri()))
        .sync();
  }

  @Test
  void theNamedRightsAreEnough() throws Exception {
    List<CommandProcess> processes = new ArrayList<>();
    for (String region : REGIONS) {
      for (String role : ROLES) {
        processes.add(run(region, role));
      }
    }
    redis("us-east").set("k", "from east");
    redis("eu-west").incrby("n", 3);
    await().atMost(SOON).until(() -> "from east".equals(redis("eu-west").get("k")));
    await().atMost(SOON).until(() -> "3".equals(redis("us-east").get("n")));
    for (CommandProcess process : processes) {
      assertThat(process.err()).doesNotContainIgnoringCase("authoriz");
    }
  }

  @Test
  void whatIsMissingIsToldInASentence() throws Exception {
    missing("capture", right -> right.entry().operation() == AclOperation.WRITE);
    missing("capture", right -> right.pattern().name().startsWith("changes"));
    missing("bridge", right -> right.pattern().resourceType() == ResourceType.GROUP);
    missing("streams", right -> right.pattern().resourceType() == ResourceType.TRANSACTIONAL_ID);
    missing("streams", right -> right.pattern().resourceType() == ResourceType.GROUP);
    missing("streams", right -> right.pattern().name().startsWith("changes"));
  }

  /** Takes rights of {@code role} in us-east away, sees what it says, and gives them back. */
  private void missing(String role, Predicate<AclBinding> taken) throws Exception {
    List<AclBinding> rights = rights(role, "us-east").stream().filter(taken).toList();
    assertThat(rights).isNotEmpty();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker(0).bootstrapLan()))) {
      admin.deleteAcls(rights.stream().map(AclBinding::toFilter).toList()).all().get();
      CommandProcess process = run("us-east", role);
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(process.err())
                      .as("%s without %s", role, rights)
                      .contains("Kafka's authorizer refuses", "security.md"));
      process.terminate(SOON);
      admin.createAcls(rights).all().get();
    }
  }
}
