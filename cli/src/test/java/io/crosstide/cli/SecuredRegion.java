package io.crosstide.cli;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.kafka.BrokerConfig;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;

/**
 * One region behind passwords: a Redis that wants TLS, a client certificate and a user of few
 * rights, and a Kafka that serves Crosstide by {@code SASL_SSL} only. What Crosstide is to know of
 * it stands in files beside it.
 */
final class SecuredRegion implements AutoCloseable {
  /** How one Kafka asks for passwords. */
  enum Sasl {
    PLAIN("PLAIN", "org.apache.kafka.common.security.plain.PlainLoginModule"),
    SCRAM("SCRAM-SHA-512", "org.apache.kafka.common.security.scram.ScramLoginModule");

    private final String mechanism;
    private final String module;

    Sasl(String mechanism, String module) {
      this.mechanism = mechanism;
      this.module = module;
    }
  }

  private final String name;
  private final int id;
  private final Sasl sasl;
  private final Path directory;
  private final TestCertificate server;
  private final TestCertificate client;
  private final RedisProcess redis;
  private final EmbeddedBroker broker;
  private final int redisTlsPort;
  private final int kafkaPort;
  private final int[] http = Ports.free(4);

  /**
   * @param acl the user's rights, as a line of Redis's configuration with {@code PASSWORD} in it
   */
  SecuredRegion(String name, int id, Sasl sasl, String acl, Path parent) throws Exception {
    this.name = name;
    this.id = id;
    this.sasl = sasl;
    this.directory = Files.createDirectories(parent.resolve(name));
    this.server = TestCertificate.create(directory, "server");
    this.client = TestCertificate.create(directory, "client");
    int[] ports = Ports.free(3);
    this.redisTlsPort = ports[1];
    this.kafkaPort = ports[2];
    this.redis = redis(acl, ports[0]);
    this.broker = broker();
  }

  /** All that must never be seen. */
  List<String> secrets() {
    return List.of(redisPassword(), kafkaPassword(), wrongPassword());
  }

  private String redisPassword() {
    return name + "-redis-s3cret";
  }

  private String kafkaPassword() {
    return name + "-kafka-s3cret";
  }

  private String wrongPassword() {
    return name + "-wr0ng";
  }

  private RedisProcess redis(String acl, int plainPort) {
    RedisBinary binary = RedisBinary.find(null, directory.resolve("bin"));
    String user = acl.replace("PASSWORD", redisPassword());
    RedisConfig config =
        new RedisConfig(binary, directory.resolve("redis"), plainPort, false)
            .with("tls-port", String.valueOf(redisTlsPort))
            .with("tls-cert-file", server.certificate().toString())
            .with("tls-key-file", server.key().toString())
            .with("tls-ca-cert-file", client.certificate().toString())
            .with("user", user.substring("user ".length()))
            .with("requirepass", redisDefaultPassword());
    RedisProcess started = new RedisProcess(config).start();
    started.awaitReady(Duration.ofSeconds(20));
    return started;
  }

  private EmbeddedBroker broker() throws Exception {
    BrokerConfig plain = BrokerConfig.onFreePorts(id, directory.resolve("kafka"));
    EmbeddedBroker started =
        new EmbeddedBroker(
                SecuredBrokers.config(plain, kafkaPort, "SASL_SSL")
                    .with("listener.name.secure.ssl.keystore.type", "PKCS12")
                    .with("listener.name.secure.ssl.keystore.location", server.store().toString())
                    .with(
                        "listener.name.secure.ssl.keystore.password",
                        TestCertificate.STORE_PASSWORD)
                    .with("listener.name.secure.sasl.enabled.mechanisms", sasl.mechanism)
                    .with(
                        "listener.name.secure.plain.sasl.jaas.config",
                        Sasl.PLAIN.module + " required user_crosstide=\"" + kafkaPassword() + "\";")
                    .with(
                        "listener.name.secure.scram-sha-512.sasl.jaas.config",
                        Sasl.SCRAM.module + " required;"))
            .start();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", started.bootstrapLan()))) {
      List<UserScramCredentialAlteration> user =
          List.of(
              new UserScramCredentialUpsertion(
                  "crosstide",
                  new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096),
                  kafkaPassword()));
      admin.alterUserScramCredentials(user).all().get();
    }
    return started;
  }

  /** Kafka's address without passwords, for the test itself. */
  String kafkaPlain() {
    return broker.bootstrapLan();
  }

  int redisPlainPort() {
    return redis.port();
  }

  String redisDefaultPassword() {
    return "default-s3cret"; // the same in all regions
  }

  int httpPort() {
    return http[0];
  }

  /** Makes the files that {@link #yaml} names hold what is right. */
  void giveSecrets() throws IOException {
    giveRedisPassword(redisPassword());
    giveKafkaPassword(kafkaPassword());
  }

  void giveWrongRedisPassword() throws IOException {
    giveRedisPassword(wrongPassword());
  }

  void giveWrongKafkaPassword() throws IOException {
    giveKafkaPassword(wrongPassword());
  }

  private void giveRedisPassword(String password) throws IOException {
    Files.writeString(directory.resolve("redis-password"), password + "\n");
  }

  private void giveKafkaPassword(String password) throws IOException {
    Files.writeString(
        directory.resolve("kafka.jaas"),
        sasl.module + " required username=\"crosstide\" password=\"" + password + "\";\n");
  }

  /**
   * Its part of {@code crosstide.yaml}.
   *
   * @param trusted the certificate by which to know its Redis
   */
  String yaml(String registry, Path trusted) {
    return """
          - name: %s
            id: %d
            redis:
              uri: rediss://127.0.0.1:%d
              user: crosstide
              password: ${file:%s/redis-password}
              ca-file: %s
              cert-file: %s
              key-file: %s
            kafka:
              bootstrap: 127.0.0.1:%d
              properties:
                security.protocol: SASL_SSL
                sasl.mechanism: %s
                sasl.jaas.config: ${file:%s/kafka.jaas}
                ssl.truststore.type: PEM
                ssl.truststore.location: %s
            registry: { url: "%s" }
            http: { port: %d, capture-port: %d, bridge-port: %d, streams-port: %d }
        """
        .formatted(
            name,
            id,
            redisTlsPort,
            directory,
            trusted,
            client.certificate(),
            client.key(),
            kafkaPort,
            sasl.mechanism,
            directory,
            server.certificate(),
            registry,
            http[0],
            http[1],
            http[2],
            http[3]);
  }

  Path serverCertificate() {
    return server.certificate();
  }

  Path clientCertificate() {
    return client.certificate();
  }

  @Override
  public void close() {
    broker.close();
    redis.close();
  }
}
