package io.crosstide.control.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.control.config.CrosstideConfig.Region;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {
  private static final String TWO_REGIONS =
      """
      regions:
        - name: us-east
          id: 1
          redis: { uri: "redis://localhost:7101" }
          kafka: { bootstrap: "localhost:9101" }
          registry: { url: "http://localhost:8101" }
        - name: eu-west
          id: 2
          redis: { uri: "redis://localhost:7102" }
          kafka: { bootstrap: "localhost:9102" }
          registry: { url: "http://localhost:8102" }
      """;

  @TempDir Path directory;

  @Test
  void leastPossibleFileGivesFullMeshAndDefaults() throws ConfigException {
    CrosstideConfig config = check(TWO_REGIONS).orThrow();

    assertThat(config.regions()).extracting(Region::name).containsExactly("us-east", "eu-west");
    assertThat(config.links())
        .extracting(link -> link.from() + ">" + link.to() + " " + link.kafka().bootstrap())
        .containsExactly("us-east>eu-west localhost:9102", "eu-west>us-east localhost:9101");
    assertThat(config.partitions()).isEqualTo(8);
    assertThat(config.limits().clockSkewMax()).isEqualTo(Duration.ofSeconds(60));
    assertThat(config.limits().eventBytesMax()).isEqualTo(63L << 20);
    assertThat(config.region("us-east").http().port()).isEqualTo(8180);
    assertThat(config.dataDir("us-east", "capture"))
        .isEqualTo(Path.of("/var/lib/crosstide/us-east/capture"));
  }

  @Test
  void everyMistakeIsReportedAtOnceWithItsLine() {
    ConfigFile file =
        check(
            """
            partitons: 8
            regions:
              - name: US East
                id: 200
                redis: { uri: "http://localhost:7101" }
                kafka: { bootstrap: "localhost" }
                registry: { url: "http://localhost:8101" }
              - name: eu-west
                id: two
                redis: redis://localhost:7102
                kafka: { bootstrap: "localhost:9102", bootstrapp: x }
            limits:
              event-bytes-max: 64 parsecs
            """);

    assertThat(messages(file))
        .containsExactly(
            "c.yaml:1:1: error: unknown setting 'partitons'; did you mean 'partitions'?",
            "c.yaml:3:11: error: 'name': 'US East' is not a name: use a lower-case letter, then up"
                + " to 30 lower-case letters, digits and dashes",
            "c.yaml:4:9: error: 'id': 200 is outside 1..127",
            "c.yaml:5:19: error: 'uri': 'http://localhost:7101' must begin with redis:// or"
                + " rediss://",
            "c.yaml:6:25: error: 'bootstrap': 'localhost' is not host:port, as in"
                + " kafka-1.internal:9092",
            "c.yaml:8:5: error: regions[1] lacks 'registry': The region's schema registry.",
            "c.yaml:9:9: error: 'id': 'two' is not a whole number from 1 to 127",
            "c.yaml:10:12: error: regions[1].redis must hold settings (uri, user, password,"
                + " ca-file, cert-file, key-file), not the text 'redis://localhost:7102'",
            "c.yaml:11:43: error: unknown setting 'bootstrapp' in regions[1].kafka; did you mean"
                + " 'bootstrap'?",
            "c.yaml:13:20: error: 'event-bytes-max': '64 parsecs' is not a size: write a number and"
                + " B, KB, MB, GB, KiB, MiB or GiB, as in 64MiB");
    assertThat(file.config()).isNull();
  }

  @Test
  void identitiesTakenTwiceNameTheFirstHolder() {
    ConfigFile file = check(TWO_REGIONS.replace("id: 2", "id: 1").replace("eu-west", "us-east"));

    assertThat(messages(file))
        .containsExactly(
            "c.yaml:7:11: error: region name us-east is taken already by the region in line 2:"
                + " every region needs its own",
            "c.yaml:8:9: error: region id 1 is taken already by the region in line 3: every region"
                + " needs its own");
  }

  @Test
  void linksMustNameKnownRegionsAndJoinEveryPair() {
    ConfigFile file =
        check(
            TWO_REGIONS
                + """
                links:
                  - { from: us-east, to: eu-wst }
                  - { from: us-east, to: us-east }
                """);

    assertThat(messages(file))
        .containsExactly(
            "c.yaml:13:26: error: there is no region 'eu-wst'; did you mean 'eu-west'?",
            "c.yaml:14:5: error: a link from us-east to itself carries nothing",
            "c.yaml:14:5: error: there is no link from us-east to eu-west: eu-west would never see"
                + " us-east's writes; add it, or leave 'links' out for a full mesh",
            "c.yaml:14:5: error: there is no link from eu-west to us-east: us-east would never see"
                + " eu-west's writes; add it, or leave 'links' out for a full mesh");
  }

  @Test
  void secretsComeFromEnvironmentAndFilesAndAreNeverShown() throws Exception {
    Files.writeString(directory.resolve("password"), "s3cret-from-file\n");
    ConfigFile file =
        check(
            TWO_REGIONS
                .replace(
                    "\"redis://localhost:7101\"",
                    "\"redis://localhost:7101\", password: \"${file:password}\"")
                .replace(
                    "\"redis://localhost:7102\"",
                    "\"redis://localhost:7102\", user: u, password: \"${env:PW}\""),
            Map.of("PW", "s3cret-from-env"));

    assertThat(file.problems()).isEmpty();
    CrosstideConfig config = file.orThrow();
    Secret first = config.region("us-east").redis().password();
    Secret second = config.region("eu-west").redis().password();
    assertThat(first).isEqualTo(new Secret("s3cret-from-file"));
    assertThat(second).isEqualTo(new Secret("s3cret-from-env"));
    assertThat(config.toString()).doesNotContain("s3cret");
  }

  @Test
  void inlineSecretsAreWarnedAboutAndNotRepeated() {
    ConfigFile file =
        check(
            TWO_REGIONS
                .replace(
                    "\"redis://localhost:7101\"", "\"redis://localhost:7101\", password: hunter2")
                .replace(
                    "bootstrap: \"localhost:9101\"",
                    "bootstrap: \"localhost:9101\", properties: { ssl.key.password: hunter2 }"));

    assertThat(messages(file))
        .hasSize(2)
        .allMatch(message -> message.contains("warning"))
        .noneMatch(message -> message.contains("hunter2"));
    assertThat(file.config()).isNotNull();
    assertThat(String.valueOf(file.config())).doesNotContain("hunter2");
  }

  @Test
  void passwordInsideAddressIsRefusedWithoutRepeatingIt() {
    ConfigFile file =
        check(TWO_REGIONS.replace("redis://localhost:7101", "redis://:hunter2@localhost:7101"));

    assertThat(messages(file))
        .containsExactly(
            "c.yaml:4:19: error: 'uri' carries a user or password: move them to 'user' and"
                + " 'password'");
  }

  @Test
  void unresolvableReferencesSayWhatIsMissing() {
    ConfigFile file =
        check(
            TWO_REGIONS.replace(
                "\"redis://localhost:7101\"",
                "\"redis://localhost:7101\", user: \"${env:NOPE}\", password: \"${file:nope}\""));

    assertThat(messages(file))
        .containsExactly(
            "c.yaml:4:51: error: the environment variable NOPE is not set: set it before starting",
            "c.yaml:4:76: error: the file nope does not exist (looked in " + directory + ")");
  }

  @Test
  void brokenYamlIsReportedWithItsLine() {
    ConfigFile file = check("regions:\n  - name: a\n   id: 1\n");

    assertThat(messages(file)).hasSize(1);
    assertThat(messages(file).get(0)).startsWith("c.yaml:3:").contains("this is not YAML");
  }

  @Test
  void emptyFileAndRepeatedKeysAreMistakes() {
    assertThat(messages(check(""))).hasSize(1).allMatch(m -> m.contains("the file is empty"));
    assertThat(messages(check(TWO_REGIONS + "partitions: 4\npartitions: 8\n")))
        .containsExactly("c.yaml:13:1: error: 'partitions' stands here twice; first in line 12");
  }

  @Test
  void unusableConfigurationThrowsWithEveryProblem() {
    assertThatThrownBy(() -> check("regions: []\nx: 1\n").orThrow())
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("'regions' is empty")
        .hasMessageContaining("unknown setting 'x'");
  }

  @Test
  void unknownRegionNamesTheKnown() throws ConfigException {
    CrosstideConfig config = check(TWO_REGIONS).orThrow();

    assertThatThrownBy(() -> config.region("eu-wst"))
        .hasMessage("there is no region 'eu-wst'; did you mean 'eu-west'?");
  }

  @Test
  void exampleFileIsValid() throws IOException {
    Path example = Path.of("..", "crosstide.example.yaml");
    Files.createDirectory(directory.resolve("secrets"));
    Files.writeString(directory.resolve("secrets/us-east-kafka.jaas"), "jaas");
    Files.writeString(directory.resolve("secrets/us-east-registry-password"), "secret");
    ConfigFile file =
        ConfigFile.parse(
            "crosstide.example.yaml",
            Files.readString(example),
            directory,
            Map.of("US_EAST_REDIS_PASSWORD", "a", "EU_WEST_REDIS_PASSWORD", "b"));

    assertThat(file.problems()).isEmpty();
    assertThat(file.config()).isNotNull();
  }

  @Test
  void exampleFileNamesEverySettingThatIsNotPerProcess() throws IOException {
    String example = Files.readString(Path.of("..", "crosstide.example.yaml"));

    for (Section section : List.of(ConfigSettings.LIMITS, ConfigSettings.POLICIES)) {
      assertThat(section.keys()).allSatisfy(key -> assertThat(example).contains(key + ":"));
    }
  }

  private ConfigFile check(String yaml) {
    return check(yaml, Map.of());
  }

  private ConfigFile check(String yaml, Map<String, String> environment) {
    return ConfigFile.parse("c.yaml", yaml, directory, environment);
  }

  private static List<String> messages(ConfigFile file) {
    return file.problems().stream().map(Problem::toString).toList();
  }

  @Test
  void certificatesAreCheckedAndRelativeToTheFile() throws IOException, ConfigException {
    Files.writeString(directory.resolve("ca.pem"), "x");
    Path file = directory.resolve("crosstide.yaml");
    String region =
        """
        regions:
          - name: us-east
            id: 1
            redis: { uri: "%s", ca-file: %s }
            kafka: { bootstrap: "localhost:1" }
            registry: { url: "http://localhost:1" }
        """;

    Files.writeString(file, region.formatted("rediss://localhost:1", "ca.pem"));
    CrosstideConfig config = ConfigFile.read(file).orThrow();
    assertThat(config.region("us-east").redis().tls().caFile())
        .isEqualTo(directory.resolve("ca.pem"));

    Files.writeString(file, region.formatted("redis://localhost:1", "none.pem"));
    assertThat(ConfigFile.read(file).problems())
        .extracting(Problem::message)
        .containsExactly(
            "certificates are given but the address is not encrypted: begin it with rediss://",
            "'ca-file': " + directory.resolve("none.pem") + " cannot be read");

    Files.writeString(file, region.formatted("rediss://localhost:1", "ca.pem, cert-file: ca.pem"));
    assertThat(ConfigFile.read(file).problems())
        .extracting(Problem::message)
        .containsExactly("'cert-file' and 'key-file' go together: give both or neither");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://user:s3cret@h:1",
        "redis://user:s3cret@h:x y",
        "user:s3cret@h:1",
        "redis://user:s3/cret@h"
      })
  void aPasswordInAnAddressIsNotRepeated(String uri) throws IOException {
    Path file = directory.resolve("crosstide.yaml");
    Files.writeString(file, "regions: [ { name: r, id: 1, redis: { uri: \"" + uri + "\" } } ]");
    assertThat(ConfigFile.read(file).problems().toString())
        .doesNotContain("s3cret")
        .doesNotContain("s3/cret");
  }
}
