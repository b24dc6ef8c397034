package io.crosstide.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.crosstide.apply.TestRedis.Version;
import io.crosstide.protocol.BatchReply.Outcome;
import io.crosstide.protocol.MarkerState;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An encrypted Redis, if the one on PATH was built with TLS. */
class TlsIT {
  @TempDir Path directory;
  private int tlsPort;
  private TestCertificate certificate;

  @BeforeEach
  void prepare() throws Exception {
    assumeTrue(
        Version.available().anyMatch(version -> version == Version.INSTALLED),
        "needs a redis-server on PATH");
    certificate = TestCertificate.create(directory);
    try (ServerSocket free = new ServerSocket(0)) {
      tlsPort = free.getLocalPort();
    }
  }

  private TestRedis startOrSkip() throws Exception {
    Path data = directory.resolve("redis");
    try {
      return TestRedis.start(
          Version.INSTALLED,
          data,
          "--tls-port",
          "" + tlsPort,
          "--tls-cert-file",
          certificate.certificate().toString(),
          "--tls-key-file",
          certificate.key().toString(),
          "--tls-ca-cert-file",
          certificate.certificate().toString(),
          "--tls-auth-clients",
          "no");
    } catch (IllegalStateException | org.awaitility.core.TerminalFailureException e) {
      String log = Files.readString(data.resolve("redis.log"));
      assumeTrue(!log.contains("tls-port"), "this redis-server knows no TLS");
      throw e;
    }
  }

  private RegionRedis region(TestCertificate trusted) {
    RedisEndpoint endpoint =
        new RedisEndpoint(
            "127.0.0.1", tlsPort, null, null, true, trusted.certificate(), null, null, true);
    return new RegionRedis(
        ApplyConfig.of("test", endpoint), new ApplyMetrics(new SimpleMeterRegistry(), "test"));
  }

  @Test
  void effectsTravelEncrypted() throws Exception {
    TestOwner owner = new TestOwner();
    try (TestRedis redis = startOrSkip();
        RegionRedis region = region(certificate)) {
      assertThat(redis.commands().ping()).isEqualTo("PONG");
      LettuceEffectWire wire = region.openWire(owner::wakeUp);
      owner.attach(wire);
      owner.awaitConnect(1);
      redis.leaveToken(Batches.PARTITION, "token");
      wire.install(Batches.PARTITION, MarkerState.initial(1), "token");
      wire.send(Batches.batch(1, Batches.put("k", "v")));
      assertThat(owner.awaitReply(batch -> true).reply().outcome()).isEqualTo(Outcome.APPLIED);
    }
  }

  @Test
  void aServerThatIsNotTrustedIsNotSpokenTo() throws Exception {
    TestCertificate other =
        TestCertificate.create(Files.createDirectory(directory.resolve("other")));
    try (TestRedis redis = startOrSkip();
        RegionRedis region = region(other)) {
      assertThat(redis.commands().ping()).isEqualTo("PONG");
      try (LettuceEffectWire wire = region.openWire(() -> {})) {
        Awaitility.await()
            .untilAsserted(() -> assertThat(region.trouble()).contains("cannot be reached", "TLS"));
        assertThat(wire.hasEvents()).isFalse();
      }
    }
  }
}
