package io.crosstide.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class InfrastructureIT {
  @TempDir Path dir;

  @Test
  void startsThreeRegionsThatReachEachOtherAndLeavesNothingBehind() throws Exception {
    List<String> steps = new ArrayList<>();
    Infrastructure sandbox =
        Infrastructure.start(config(null, "us-east", "eu-west", "ap-south"), steps::add);
    Path root = sandbox.directory();
    List<Long> pids = new ArrayList<>();
    try {
      assertThat(steps).hasSize(8);
      for (SandboxRegion region : sandbox.regions()) {
        pids.add(region.redis().pid());
        pids.add(region.redis().watcherPid());
        assertThat(onRedis(region, c -> c.sync().ping())).isEqualTo("PONG");
        for (SandboxRegion other : sandbox.regions()) {
          String address =
              region == other ? region.kafkaBootstrap() : region.kafkaBootstrapOf(other.name());
          append(address, "changes." + region.name());
        }
      }
      for (SandboxRegion region : sandbox.regions()) {
        assertThat(topics(region))
            .contains(
                "changes.us-east",
                "changes.eu-west",
                "changes.ap-south",
                "conflicts." + region.name(),
                "dead-letters." + region.name(),
                "sent-effects." + region.name());
      }
      // What region A appended at B went over the link from A to B, and over no other.
      assertThat(sandbox.wan().states()).hasSize(6).allMatch(link -> link.bytes() > 0);
      HttpRequest subjects =
          HttpRequest.newBuilder(sandbox.registryUrl().resolve("/subjects")).build();
      assertThat(
              HttpClient.newHttpClient()
                  .send(subjects, HttpResponse.BodyHandlers.ofString())
                  .statusCode())
          .isEqualTo(200);
    } finally {
      sandbox.close();
    }
    assertThat(pids).hasSize(6).noneMatch(InfrastructureIT::isAlive);
    assertThat(root).doesNotExist();
  }

  @Test
  void goesOnWithItsDataAfterKill9OfTheWholeTree() throws Exception {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                OwnerMain.class.getName(),
                dir.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); !"ready".equals(line); line = out.readLine()) {
      assertThat(line).as("the other JVM ended before it was ready").isNotNull();
    }
    List<ProcessHandle> tree = new ArrayList<>(jvm.toHandle().descendants().toList());
    assertThat(tree).hasSizeGreaterThanOrEqualTo(4);
    tree.forEach(ProcessHandle::destroyForcibly);
    jvm.destroyForcibly().waitFor();

    Map<String, Integer> before = redisPorts(Files.readString(dir.resolve("sandbox.properties")));
    try (Infrastructure sandbox =
        Infrastructure.start(config(dir, "a", "b"), StartupProgress.SILENT)) {
      assertThat(sandbox.isContinued()).isTrue();
      SandboxRegion a = sandbox.region("a");
      assertThat(onRedis(a, c -> c.sync().get("k"))).isEqualTo("v");
      assertThat(endOf(a.kafkaBootstrap(), "changes.a")).isEqualTo(1);
      assertThat(redisPorts(Files.readString(dir.resolve("sandbox.properties")))).isEqualTo(before);
    }
  }

  @Test
  void refusesADirectoryInWhichAnotherRuns() {
    try (Infrastructure first = Infrastructure.start(config(dir, "a"), StartupProgress.SILENT)) {
      assertThatThrownBy(() -> Infrastructure.start(config(dir, "a"), StartupProgress.SILENT))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("in use by another running sandbox")
          .hasMessageContaining("pid " + ProcessHandle.current().pid());
      assertThat(first.region("a").redis().isRunning()).isTrue();
    }
    assertThatThrownBy(() -> Infrastructure.start(config(dir, "a", "b"), StartupProgress.SILENT))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("made with --regions a, not a,b");
  }

  @Test
  void namesWhatIsInTheWay() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "x");
    assertThatThrownBy(
            () -> Infrastructure.start(config(file.resolve("below"), "a"), StartupProgress.SILENT))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("cannot be written")
        .hasMessageContaining("--dir");
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(Ports.address(0));
      InfrastructureConfig config =
          new InfrastructureConfig(
              List.of(new InfrastructureConfig.Region("a", 1, taken.getLocalPort())),
              dir.resolve("new"),
              2,
              Duration.ZERO,
              null);
      assertThatThrownBy(() -> Infrastructure.start(config, StartupProgress.SILENT))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining("Port " + taken.getLocalPort())
          .hasMessageContaining("--redis-ports");
    }
  }

  @Test
  void aBrokerCanBeStoppedAndStartedAgain() throws Exception {
    try (Infrastructure sandbox = Infrastructure.start(config(null, "a"), StartupProgress.SILENT)) {
      SandboxRegion a = sandbox.region("a");
      append(a.kafkaBootstrap(), "changes.a");
      a.stopBroker();
      a.startBroker();
      assertThat(endOf(a.kafkaBootstrap(), "changes.a")).isEqualTo(1);
    }
  }

  private static InfrastructureConfig config(
      @org.jspecify.annotations.Nullable Path directory, String... names) {
    List<InfrastructureConfig.Region> regions = new ArrayList<>();
    for (String name : names) {
      regions.add(new InfrastructureConfig.Region(name, regions.size() + 1, 0));
    }
    return new InfrastructureConfig(regions, directory, 2, Duration.ofMillis(2), null);
  }

  private static Map<String, Integer> redisPorts(String properties) {
    Map<String, Integer> ports = new java.util.TreeMap<>();
    properties
        .lines()
        .filter(line -> line.matches("port\\..*\\.redis=\\d+"))
        .forEach(
            line -> {
              List<String> parts = List.of(line.split("="));
              ports.put(parts.get(0), Integer.parseInt(parts.get(1)));
            });
    return ports;
  }

  private static String onRedis(
      SandboxRegion region, Function<StatefulRedisConnection<String, String>, String> use) {
    RedisClient client = RedisClient.create(region.redisUri());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      return use.apply(connection);
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  private static Map<String, Object> client(String bootstrap) {
    return Map.of(
        "bootstrap.servers", bootstrap, "metric.reporters", "", "enable.metrics.push", "false");
  }

  private static void append(String bootstrap, String topic) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            client(bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(topic, 0, null, new byte[] {1})).get();
    }
  }

  private static Set<String> topics(SandboxRegion region) throws Exception {
    try (Admin admin = Admin.create(client(region.kafkaBootstrap()))) {
      return admin.listTopics().names().get();
    }
  }

  private static long endOf(String bootstrap, String topic) throws Exception {
    TopicPartition tp = new TopicPartition(topic, 0);
    try (Admin admin = Admin.create(client(bootstrap))) {
      return admin.listOffsets(Map.of(tp, OffsetSpec.latest())).partitionResult(tp).get().offset();
    }
  }

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  /** Owns a sandbox in a JVM that the test kills. */
  static final class OwnerMain {
    private OwnerMain() {}

    public static void main(String[] args) throws Exception {
      Infrastructure sandbox =
          Infrastructure.start(config(Path.of(args[0]), "a", "b"), StartupProgress.SILENT);
      SandboxRegion a = sandbox.region("a");
      onRedis(a, c -> c.sync().set("k", "v"));
      append(a.kafkaBootstrap(), "changes.a");
      System.out.println("ready");
      System.out.flush();
      new CountDownLatch(1).await();
    }
  }
}
