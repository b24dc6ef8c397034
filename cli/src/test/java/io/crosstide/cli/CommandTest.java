package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.control.ControlPlane;
import io.crosstide.control.config.ConfigFile;
import io.crosstide.control.role.PairStats;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.WanControl;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTest {
  private static final String TWO_REGIONS =
      """
      regions:
        - name: us-east
          id: 1
          redis: { uri: "redis://localhost:1" }
          kafka: { bootstrap: "localhost:1" }
          registry: { url: "http://localhost:1" }
        - name: eu-west
          id: 2
          redis: { uri: "redis://localhost:2" }
          kafka: { bootstrap: "localhost:2" }
          registry: { url: "http://localhost:2" }
      """;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {"sandbox", "wan", "stats", "explain", "verify", "bench", "run", "config check"})
  void everyCommandTeachesWithExamples(String command) {
    Executed help = Executed.of((command + " --help").split(" "));

    assertThat(help.status()).isEqualTo(ExitCodes.OK);
    assertThat(help.out()).contains("Usage: crosstide " + command).contains("crosstide " + command);
    assertThat(help.out().toLowerCase(java.util.Locale.ROOT)).contains("examples:");
    assertThat(help.err()).isEmpty();
  }

  @Test
  void helpListsExitStatusAndCommands() {
    Executed help = Executed.of("--help");

    assertThat(help.out())
        .contains("Exit status: 0 done, 1 failed (or could not tell), 2 called wrongly")
        .contains("sandbox", "wan", "stats", "explain", "verify", "bench", "run", "config");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "frobnicate",
        "wan cut us-east",
        "wan delay a b 80",
        "wan rate a b 10MB",
        "explain",
        "verify --timeout 60",
        "verify --http nonsense",
        "stats --http 127.0.0.1:8180",
        "bench --rate 0 --http http://127.0.0.1:1",
        "bench --mix set,get",
        "run --config x.yaml",
        "run --config x.yaml --region a --roles captain",
        "config",
        "config check",
        "sandbox --redis-ports 1,2",
        "sandbox --regions a,a",
        "sandbox --partitions 0",
        "sandbox --wan-latency fast",
      })
  void wrongUseIsStatus2WithASentenceAndNoData(String arguments) {
    Executed wrong = Executed.of(arguments.isEmpty() ? new String[0] : arguments.split(" "));

    assertThat(wrong.status()).as(wrong.err()).isEqualTo(ExitCodes.USAGE);
    assertThat(wrong.out()).isEmpty();
    assertThat(wrong.err()).startsWith("crosstide: ").contains("--help'.").doesNotContain("java.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"wan", "stats", "explain k", "verify", "bench"})
  void nobodyAtTheAddressIsStatus1AndSaysWhatToDo(String command) throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }

    Executed failed = Executed.of((command + " --http http://127.0.0.1:" + port).split(" "));

    assertThat(failed.status()).isEqualTo(ExitCodes.FAILURE);
    assertThat(failed.out()).isEmpty();
    assertThat(failed.err())
        .isEqualToIgnoringNewLines(
            "crosstide: nothing answers at http://127.0.0.1:"
                + port
                + ": start one with './crosstide sandbox', or say with --http where it is");
  }

  @Test
  void configCheckExplainsEveryMistakeAndEndsWith1() throws IOException {
    Path file = directory.resolve("crosstide.yaml");
    Files.writeString(file, TWO_REGIONS.replace("id: 2", "id: 1").replace("kafka:", "kafak:"));

    Executed checked = Executed.of("config", "check", file.toString());

    assertThat(checked.status()).isEqualTo(ExitCodes.FAILURE);
    assertThat(checked.out())
        .contains(
            file + ":5:5: error: unknown setting 'kafak' in regions[0]; did you mean 'kafka'?")
        .contains(file + ":8:9: error: region id 1 is taken already");
    assertThat(checked.err()).contains("5 errors");
  }

  @Test
  void configCheckOfAUsableFileIs0AndWarningsDoNotCount() throws Exception {
    Path file = directory.resolve("crosstide.yaml");
    Files.writeString(
        file,
        TWO_REGIONS.replace("\"redis://localhost:2\"", "\"redis://localhost:2\", password: p"));

    Executed checked = Executed.of("config", "check", "--output", "json", file.toString());

    assertThat(checked.status()).isEqualTo(ExitCodes.OK);
    JsonNode json = new ObjectMapper().readTree(checked.out());
    assertThat(json.path("usable").asBoolean()).isTrue();
    assertThat(json.path("problems").get(0).path("severity").asText()).isEqualTo("warning");
    assertThat(json.path("problems").get(0).path("line").asInt()).isEqualTo(9);
    assertThat(Executed.of("config", "check", "nowhere.yaml").status())
        .isEqualTo(ExitCodes.FAILURE);
  }

  @Test
  void runRefusesWhatItCannotUse() throws IOException {
    Path file = directory.resolve("crosstide.yaml");
    Files.writeString(file, TWO_REGIONS);

    Executed unknown = Executed.of("run", "-c", file.toString(), "--region", "eu-wst");
    Files.writeString(file, "regions: []");
    Executed broken = Executed.of("run", "-c", file.toString(), "--region", "eu-west");

    assertThat(unknown.status()).isEqualTo(ExitCodes.USAGE);
    assertThat(unknown.err()).contains("there is no region 'eu-wst'; did you mean 'eu-west'?");
    assertThat(broken.status()).isEqualTo(ExitCodes.FAILURE);
    assertThat(broken.err()).contains("'regions' is empty").contains("cannot be used");
  }

  @Test
  void sandboxSaysInOneSentenceWhichPortIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();

      Executed failed = Executed.of("sandbox", "--http-port", String.valueOf(port));

      assertThat(failed.status()).isEqualTo(ExitCodes.FAILURE);
      assertThat(failed.err())
          .isEqualToIgnoringNewLines(
              "crosstide: HTTP port " + port + " is in use: choose another with --http-port");
    }
  }

  @Test
  void wanShowsAndChangesLinks() throws Exception {
    try (Served served = new Served()) {
      Executed shown = Executed.of("wan", "--http", served.address);
      Executed cut = Executed.of("wan", "cut", "us-east", "eu-west", "--http", served.address);
      Executed delay =
          Executed.of(
              "wan", "delay", "us-east", "eu-west", "80ms", "-o", "json", "--http", served.address);
      Executed rate =
          Executed.of("wan", "rate", "us-east", "eu-west", "10MB/s", "--http", served.address);
      Executed heal = Executed.of("wan", "heal", "--http", served.address);
      Executed unknown = Executed.of("wan", "cut", "us-east", "eu", "--http", served.address);

      assertThat(shown.out()).contains("us-east").contains("40ms").contains("unlimited");
      assertThat(List.of(shown, cut, delay, rate, heal))
          .allSatisfy(each -> assertThat(each.status()).as(each.err()).isEqualTo(0));
      assertThat(new ObjectMapper().readTree(delay.out()).path("links")).hasSize(1);
      assertThat(unknown.status()).isEqualTo(ExitCodes.FAILURE);
      assertThat(unknown.err()).contains("there is no region 'eu'");
      assertThat(served.wanDone)
          .containsExactly(
              "cut us-east eu-west",
              "delay us-east eu-west 80",
              "rate us-east eu-west 10000000",
              "heal us-east eu-west");
    }
  }

  @Test
  void statsAreATableForPeopleAndJsonForPrograms() throws Exception {
    try (Served served = new Served()) {
      Executed table = Executed.of("stats", "--http", served.address);
      Executed json = Executed.of("stats", "--output", "json", "--http", served.address);

      assertThat(table.status()).isEqualTo(ExitCodes.OK);
      assertThat(table.out())
          .contains("captured")
          .contains("backlog")
          .contains("Not replicated from us-east: LPUSH 2");
      JsonNode parsed = new ObjectMapper().readTree(json.out());
      assertThat(parsed.path("regions").path("us-east").path("captured").asLong()).isEqualTo(7);
      assertThat(parsed.path("pairs").get(0).path("backlog").asLong()).isEqualTo(4);
    }
  }

  @Test
  void verifyThatCannotTellIsStatus1() throws Exception {
    try (Served served = new Served()) {
      Executed verified = Executed.of("verify", "--timeout", "300ms", "--http", served.address);

      assertThat(verified.status()).isEqualTo(ExitCodes.FAILURE);
      assertThat(verified.out()).startsWith("could not tell: ");
    }
  }

  @Test
  void exitStatusPageNamesEveryCode() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "reference", "exit-codes.md"));

    for (var field : ExitCodes.class.getFields()) {
      assertThat(page).contains("| " + field.getInt(null) + " |");
    }
  }

  /** An API with one link and one role. */
  private static final class Served implements AutoCloseable, WanControl {
    final List<String> wanDone = new ArrayList<>();
    final ControlPlane plane;
    final String address;

    Served() throws Exception {
      plane =
          new ControlPlane(
              ConfigFile.parse("test.yaml", TWO_REGIONS, Path.of("."), Map.of()).orThrow(),
              List.of(),
              Clock.systemUTC());
      plane.add(new FakeRole());
      address = plane.serve("sandbox", "127.0.0.1", 0, Set.of(), this, List.of()).toString();
    }

    @Override
    public List<Link> links() {
      return List.of(
          new Link("us-east", "eu-west", false, Duration.ofMillis(40), Long.MAX_VALUE, 0, 0));
    }

    @Override
    public void cut(String a, String b) {
      wanDone.add("cut " + a + " " + b);
    }

    @Override
    public void heal(String a, String b) {
      wanDone.add("heal " + a + " " + b);
    }

    @Override
    public void delay(String a, String b, Duration oneWay) {
      wanDone.add("delay " + a + " " + b + " " + oneWay.toMillis());
    }

    @Override
    public void rate(String a, String b, long bytesPerSecond) {
      wanDone.add("rate " + a + " " + b + " " + bytesPerSecond);
    }

    @Override
    public void close() {
      plane.close();
    }
  }

  /** A capture with fixed counters. */
  private static final class FakeRole implements RoleHandle {
    @Override
    public String region() {
      return "us-east";
    }

    @Override
    public String name() {
      return "capture";
    }

    @Override
    public RoleStatus status() {
      return RoleStatus.working("streaming");
    }

    @Override
    public Map<String, Object> stats() {
      return Map.of("captured", 7, "unsupported", Map.of("LPUSH", 2));
    }

    @Override
    public List<PairStats> pairs() {
      return List.of(new PairStats("us-east", "eu-west", "running", 4, 2, 9, 10, 100, 40));
    }

    @Override
    public void close() {}
  }
}
