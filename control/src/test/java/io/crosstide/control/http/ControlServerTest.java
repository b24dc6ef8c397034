package io.crosstide.control.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.control.ControlPlane;
import io.crosstide.control.config.ConfigException;
import io.crosstide.control.config.ConfigFile;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.role.PairStats;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.WanControl;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ControlServerTest {
  private final ObjectMapper json = new ObjectMapper();
  private final HttpClient client = HttpClient.newHttpClient();
  private final FakeWan wan = new FakeWan();
  private ControlPlane plane = plane(List.of());
  private URI address = URI.create("http://127.0.0.1");

  @BeforeEach
  void start() throws IOException {
    address = serve(plane, wan);
  }

  @AfterEach
  void stop() {
    plane.close();
  }

  @Test
  void statusNamesRegionsAndTheirRoles() throws Exception {
    plane.add(new FakeRole("us-east", "capture", Map.of()));

    JsonNode status = get("/api/v1/status");

    assertThat(status.path("mode").asText()).isEqualTo("sandbox");
    assertThat(status.path("pid").asLong()).isEqualTo(ProcessHandle.current().pid());
    assertThat(status.path("ready").asBoolean()).isFalse();
    JsonNode region = status.path("regions").get(0);
    assertThat(region.path("name").asText()).isEqualTo("us-east");
    assertThat(region.path("redis").asText()).isEqualTo("redis://localhost:1");
    assertThat(region.path("roles").get(0).path("health").asText()).isEqualTo("working");
    plane.markReady();
    assertThat(get("/api/v1/status").path("ready").asBoolean()).isTrue();
  }

  @Test
  void statsJoinWhatTheRolesOfARegionCount() throws Exception {
    plane.add(
        new FakeRole(
            "us-east", "capture", Map.of("captured", 7, "unsupported", Map.of("LPUSH", 2))));
    plane.add(new FakeRole("us-east", "streams", Map.of("applied", 3)));

    JsonNode stats = get("/api/v1/stats");

    JsonNode region = stats.path("regions").path("us-east");
    assertThat(region.path("captured").asLong()).isEqualTo(7);
    assertThat(region.path("applied").asLong()).isEqualTo(3);
    assertThat(region.path("unsupported").path("LPUSH").asLong()).isEqualTo(2);
    assertThat(region.path("roles").path("streams").path("state").asText()).isEqualTo("running");
    assertThat(stats.path("pairs").get(0).path("lag_ms").path("p99").asDouble()).isEqualTo(9.5);
  }

  @Test
  void oneProcessAnswersForAllAndNamesThoseItCannotReach() throws Exception {
    URI nobody = URI.create("http://127.0.0.1:1");
    try (ControlPlane asking = plane(List.of(address, nobody))) {
      URI askingAddress = serve(asking, wan);
      plane.add(new FakeRole("us-east", "streams", Map.of("applied", 3)));
      asking.add(new FakeRole("us-east", "capture", Map.of("captured", 7)));

      JsonNode stats = json(request(askingAddress, "/api/v1/stats").GET());

      JsonNode region = stats.path("regions").path("us-east");
      assertThat(region.path("captured").asLong()).isEqualTo(7);
      assertThat(region.path("applied").asLong()).isEqualTo(3);
      assertThat(region.path("roles").properties()).hasSize(2);
      assertThat(stats.path("pairs")).hasSize(2);
      assertThat(stats.path("unreachable").get(0).asText()).isEqualTo(nobody.toString());
    }
  }

  @Test
  void wanChangesConcernThePairAndAnswerWithAllLinks() throws Exception {
    JsonNode links = post("/api/v1/wan/cut", "{\"a\":\"us-east\",\"b\":\"eu-west\"}").path("links");
    assertThat(links).hasSize(2);
    post("/api/v1/wan/heal", "{}");
    post("/api/v1/wan/delay", "{\"a\":\"us-east\",\"b\":\"eu-west\",\"delay_ms\":80}");
    post("/api/v1/wan/rate", "{\"a\":\"us-east\",\"b\":\"eu-west\",\"bytes_per_s\":10000}");
    post("/api/v1/wan/rate", "{\"a\":\"us-east\",\"b\":\"eu-west\",\"bytes_per_s\":null}");

    assertThat(wan.done)
        .containsExactly(
            "cut us-east eu-west",
            "heal us-east eu-west",
            "heal eu-west us-east",
            "delay us-east eu-west PT0.08S",
            "rate us-east eu-west 10000",
            "rate us-east eu-west " + Long.MAX_VALUE);
  }

  @Test
  void wrongRequestsAreAnsweredWithSentences() throws Exception {
    assertThat(error(400, "/api/v1/wan/cut", "{\"a\":\"us-east\",\"b\":\"eu-wst\"}"))
        .isEqualTo("there is no region 'eu-wst'; did you mean 'eu-west'?");
    assertThat(error(400, "/api/v1/wan/cut", "{\"a\":\"us-east\",\"b\":\"us-east\"}"))
        .isEqualTo("a link has two ends: 'us-east' was named twice");
    assertThat(error(400, "/api/v1/wan/delay", "{\"a\":\"us-east\",\"b\":\"eu-west\"}"))
        .isEqualTo("'delay_ms' must be a whole number, 0 or more");
    assertThat(error(400, "/api/v1/wan/cut", "nonsense")).startsWith("the body is not JSON");
    assertThat(error(404, "/api/v1/nothing", "{}"))
        .isEqualTo("there is nothing at POST /api/v1/nothing");
    assertThat(error(400, "/api/v1/verify", "{\"timeout_ms\":-1}"))
        .isEqualTo("'timeout_ms' must be a whole number above 0");
    assertThat(wan.done).isEmpty();
  }

  @Test
  void webPagesCannotReachTheApiThroughABrowser() throws Exception {
    HttpResponse<String> form =
        client.send(
            request(address, "/api/v1/wan/heal")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(form.statusCode()).isEqualTo(415);

    // The JDK's client does not let one choose the Host header.
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address.getHost(), address.getPort()), 5_000);
      OutputStream out = socket.getOutputStream();
      out.write(
          "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer).startsWith("HTTP/1.1 403").contains("evil.example");
    }
    assertThat(wan.done).isEmpty();
  }

  @Test
  void verificationThatCannotReachRedisCouldNotTell() throws Exception {
    JsonNode run = post("/api/v1/verify", "{\"timeout_ms\":200}");
    long id = run.path("id").asLong();
    org.awaitility.Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> get("/api/v1/verify/" + id).path("state").asText().equals("done"));

    JsonNode done = get("/api/v1/verify/" + id);
    assertThat(done.path("result").asText()).isEqualTo("could_not_tell");
    assertThat(done.path("progress").asText()).contains("Redis of us-east (localhost:1)");
  }

  @Test
  void verificationThatIsNotThereIsCalledByItsNumber() throws Exception {
    HttpResponse<String> answer =
        client.send(
            request(address, "/api/v1/verify/987").GET().build(),
            HttpResponse.BodyHandlers.ofString());

    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).contains("there is no verification 987");
  }

  @Test
  void explainSaysWhatItCannotReach() throws Exception {
    JsonNode answer = get("/api/v1/explain?key=k&db=2");

    assertThat(answer.path("db").asInt()).isEqualTo(2);
    JsonNode region = answer.path("regions").path("us-east");
    assertThat(region.path("redis").path("error").asText()).contains("Redis of us-east");
    assertThat(region.path("why").asText()).contains("cannot be asked now");
    assertThat(statusOf("/api/v1/explain")).isEqualTo(400);
    assertThat(statusOf("/api/v1/explain?key=k&db=x")).isEqualTo(400);
  }

  @Test
  void metricsArePrometheusText() throws Exception {
    plane.metrics().counter("crosstide.test", "region", "us-east").increment(3);

    HttpResponse<String> response =
        client.send(
            request(address, "/metrics").GET().build(), HttpResponse.BodyHandlers.ofString());

    assertThat(response.body()).contains("crosstide_test_total{region=\"us-east\"} 3.0");
  }

  @Test
  void portInUseIsOneSentence() {
    try (ControlPlane second = plane(List.of())) {
      assertThatThrownBy(
              () ->
                  second.serve(
                      "sandbox", "127.0.0.1", address.getPort(), Set.of(), null, List.of()))
          .isInstanceOf(IOException.class)
          .hasMessage("HTTP port " + address.getPort() + " on 127.0.0.1 is in use");
    }
  }

  private static ControlPlane plane(List<URI> peers) {
    return new ControlPlane(config(), peers, Clock.systemUTC());
  }

  private static URI serve(ControlPlane plane, WanControl wan) throws IOException {
    return plane.serve("sandbox", "127.0.0.1", 0, Set.of(), wan, List.of());
  }

  private static CrosstideConfig config() {
    try {
      return ConfigFile.parse(
              "test.yaml",
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
              """,
              Path.of("."),
              Map.of())
          .orThrow();
    } catch (ConfigException e) {
      throw new AssertionError(e);
    }
  }

  private static HttpRequest.Builder request(URI address, String path) {
    return HttpRequest.newBuilder(address.resolve(path)).timeout(Duration.ofSeconds(30));
  }

  private JsonNode get(String path) throws Exception {
    return json(request(address, path).GET());
  }

  private int statusOf(String path) throws Exception {
    return client
        .send(request(address, path).GET().build(), HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }

  private JsonNode json(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).as(response.body()).isBetween(200, 299);
    return json.readTree(response.body());
  }

  private JsonNode post(String path, String body) throws Exception {
    return json(posting(path, body));
  }

  private HttpRequest.Builder posting(String path, String body) {
    return request(address, path)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  private String error(int status, String path, String body) throws Exception {
    HttpResponse<String> response =
        client.send(posting(path, body).build(), HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    return json.readTree(response.body()).path("error").asText();
  }

  /** A role with fixed counters and one pair. */
  private record FakeRole(String region, String name, Map<String, Object> stats)
      implements RoleHandle {
    @Override
    public RoleStatus status() {
      return RoleStatus.working("running");
    }

    @Override
    public List<PairStats> pairs() {
      return List.of(new PairStats(region, "eu-west", "running", 4, 2.0, 9.5, 10, 100, 40));
    }

    @Override
    public void close() {}
  }

  /** Two links that remember what was asked of them. */
  private static final class FakeWan implements WanControl {
    final List<String> done = new ArrayList<>();

    @Override
    public List<Link> links() {
      return List.of(link("us-east", "eu-west"), link("eu-west", "us-east"));
    }

    private static Link link(String from, String to) {
      return new Link(from, to, false, Duration.ofMillis(40), Long.MAX_VALUE, 0, 0);
    }

    @Override
    public void cut(String a, String b) {
      done.add("cut " + a + " " + b);
    }

    @Override
    public void heal(String a, String b) {
      done.add("heal " + a + " " + b);
    }

    @Override
    public void delay(String a, String b, Duration oneWay) {
      done.add("delay " + a + " " + b + " " + oneWay);
    }

    @Override
    public void rate(String a, String b, long bytesPerSecond) {
      done.add("rate " + a + " " + b + " " + bytesPerSecond);
    }
  }
}
