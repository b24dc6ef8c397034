package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.sandbox.registry.EmbeddedSchemaRegistry;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The deployment that {@code docs/reference/security.md} describes, with the user it names. */
class SecuredRunIT {
  private static final Duration SOON = Duration.ofMinutes(2);

  @TempDir Path directory;
  private final RedisClient client = RedisClient.create();
  private final List<AutoCloseable> started = new ArrayList<>();
  private SecuredRegion east;
  private SecuredRegion west;
  private EmbeddedSchemaRegistry registry;
  private Path config;

  @BeforeEach
  void start() throws Exception {
    assumeTrue(redisKnowsTls(), "needs a redis-server with TLS on PATH");
    String acl = SecurityDocument.redis("all roles");
    east = region("us-east", 1, SecuredRegion.Sasl.PLAIN, acl);
    west = region("eu-west", 2, SecuredRegion.Sasl.SCRAM, acl);
    registry = EmbeddedSchemaRegistry.start(east.kafkaPlain(), 0);
    started.add(registry);
    config = directory.resolve("crosstide.yaml");
    writeConfig(east.serverCertificate());
  }

  private SecuredRegion region(String name, int id, SecuredRegion.Sasl sasl, String acl)
      throws Exception {
    SecuredRegion region = new SecuredRegion(name, id, sasl, acl, directory);
    started.add(region);
    region.giveSecrets();
    return region;
  }

  private void writeConfig(Path trustedForEast) throws IOException {
    String url = registry.url().toString();
    Files.writeString(
        config,
        "partitions: 2\ndata-dir: "
            + directory.resolve("data")
            + "\npolicies: { skip-malformed: true }\nregions:\n"
            + east.yaml(url, trustedForEast)
            + west.yaml(url, west.serverCertificate()));
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = started.size() - 1; i >= 0; i--) {
      started.get(i).close();
    }
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
  }

  private static boolean redisKnowsTls() throws Exception {
    Process help;
    try {
      help =
          new ProcessBuilder("redis-server", "--port", "0", "--tls-port", "1")
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      return false;
    }
    String said = new String(help.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(help.waitFor(10, TimeUnit.SECONDS)).as(said).isTrue();
    // Both refuse: one for want of a certificate, the other does not know the directive.
    return !said.contains("Bad directive");
  }

  @Test
  void everyConnectionIsEncryptedAndLogsInAndNoSecretIsSeen() throws Exception {
    Executed checked = Executed.of("config", "check", config.toString());
    assertThat(checked.status()).as(checked.out()).isEqualTo(ExitCodes.OK);
    assertThat(checked.out()).isEmpty();
    run("us-east");
    run("eu-west");
    RedisCommands<String, String> inEast = redis(east);
    RedisCommands<String, String> inWest = redis(west);
    inEast.set("k", "from east");
    inEast.hset("h", "f", "1");
    inWest.hincrby("h", "n", 2);
    inWest.sadd("s", "m");
    inWest.zadd("z", 1.5, "m");
    inWest.set("limited", "v");
    inWest.pexpire("limited", 3_600_000);
    await().atMost(SOON).until(() -> "from east".equals(inWest.get("k")));
    await().atMost(SOON).until(() -> "2".equals(inEast.hget("h", "n")));

    // Effects of every kind, and changes of what effects wrote.
    inEast.zincrby("z", 1, "m");
    inEast.srem("s", "m");
    inEast.persist("limited");
    inEast.incrby("counter", 7);
    inWest.hdel("h", "f");
    inWest.del("k");
    inWest.select(3);
    inWest.set("in three", "v".repeat(100_000));
    inWest.select(0);
    String http = "http://127.0.0.1:" + west.httpPort();
    Executed verified = Executed.of("verify", "--timeout", "120s", "--http", http);
    assertThat(verified.status()).as(verified.out() + verified.err()).isEqualTo(ExitCodes.OK);
    assertThat(inWest.zscore("z", "m")).isEqualTo(2.5);
    assertThat(inWest.get("counter")).isEqualTo("7");
    assertThat(inEast.get("k")).isNull();
    JsonNode regions =
        new ObjectMapper()
            .readTree(Executed.of("stats", "-o", "json", "--http", http).out())
            .path("regions");
    for (JsonNode region : regions) {
      assertThat(region.path("unrepresentable").asLong()).as(region.toString()).isZero();
    }

    // A record that is no event, in a log that eu-west's streams reads.
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", west.kafkaPlain()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>("changes.us-east", 0, bytes("k"), bytes("junk"))).get();
    }
    inEast.set("k", "after the junk");
    await().atMost(SOON).until(() -> "after the junk".equals(inWest.get("k")));
    assertThat(Executed.of("stats", "-o", "json", "--http", http).out())
        .containsPattern("\"malformed\" *: *1");
    assertNoSecretIsSeen();

    Path password = directory.resolve("bench-password");
    Files.writeString(password, east.redisDefaultPassword() + "\n");
    Executed unknown = Executed.of("bench", "--http", http, "--warmup", "0", "--seconds", "1");
    assertThat(unknown.status()).isEqualTo(ExitCodes.FAILURE);
    assertThat(unknown.err()).contains("cannot be reached");
    Executed written =
        Executed.of(
            ("bench --warmup 0 --seconds 2 --rate 100 --from us-east --mix set,zadd --http "
                    + http
                    + " --config "
                    + config
                    + " --redis-user default --redis-password-file "
                    + password)
                .split(" ", -1));
    assertThat(written.status()).as(written.err()).isEqualTo(ExitCodes.OK);
    assertThat(written.out()).containsPattern("eu-west +[1-9]");
  }

  @Test
  void whatIsRefusedIsToldInASentenceAndMayBeSetRight() throws Exception {
    east.giveWrongRedisPassword();
    CommandProcess wrongRedis = run("us-east");
    awaitSaid(wrongRedis, "refuses the login of crosstide", "WRONGPASS");
    awaitSaid(wrongRedis, "us-east streams: connecting", "Redis at rediss://", "WRONGPASS");
    wrongRedis.terminate(SOON);

    east.giveSecrets();
    east.giveWrongKafkaPassword();
    CommandProcess wrongKafka = run("us-east");
    awaitSaid(wrongKafka, "Authentication failed");
    wrongKafka.terminate(SOON);

    east.giveSecrets();
    writeConfig(east.clientCertificate());
    CommandProcess untrusted = run("us-east");
    awaitSaid(untrusted, "TLS with rediss://127.0.0.1", "failed", "ca-file");
    untrusted.terminate(SOON);

    writeConfig(east.serverCertificate());
    run("us-east");
    run("eu-west");
    redis(east).set("k", "v");
    await().atMost(SOON).until(() -> "v".equals(redis(west).get("k")));
    assertNoSecretIsSeen();
  }

  private void awaitSaid(CommandProcess process, String... parts) {
    await().atMost(SOON).untilAsserted(() -> assertThat(process.err()).contains(parts));
  }

  /** In what the processes print, log and keep as text, and in what they answer. */
  private void assertNoSecretIsSeen() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(directory)) {
      files =
          all.filter(file -> file.toString().matches(".*\\.(out|err|log)"))
              .filter(file -> !file.startsWith(directory.resolve("us-east")))
              .filter(file -> !file.startsWith(directory.resolve("eu-west")))
              .toList();
    }
    assertThat(files).hasSizeGreaterThanOrEqualTo(4);
    List<String> secrets = new ArrayList<>(east.secrets());
    secrets.addAll(west.secrets());
    for (Path file : files) {
      assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
          .as("%s", file)
          .doesNotContain(secrets);
    }
    for (String command : List.of("stats", "config check " + config)) {
      String[] words =
          command.startsWith("config")
              ? command.split(" ")
              : new String[] {command, "--http", "http://127.0.0.1:" + west.httpPort()};
      Executed executed = Executed.of(words);
      assertThat(executed.out() + executed.err()).as(command).doesNotContain(secrets);
    }
  }

  private CommandProcess run(String region) {
    CommandProcess process =
        CommandProcess.start(
            directory,
            region + "-" + started.size(),
            "run",
            "--config",
            config.toString(),
            "--region",
            region);
    started.add(process);
    return process;
  }

  private RedisCommands<String, String> redis(SecuredRegion region) {
    RedisURI uri =
        RedisURI.builder()
            .withHost("127.0.0.1")
            .withPort(region.redisPlainPort())
            .withPassword(region.redisDefaultPassword().toCharArray())
            .build();
    return client.connect(uri).sync();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
