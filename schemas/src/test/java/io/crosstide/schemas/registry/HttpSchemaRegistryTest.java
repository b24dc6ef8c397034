package io.crosstide.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client against a scripted server; against real registries in the sandbox module. */
class HttpSchemaRegistryTest {
  private static final Schema SCHEMA =
      SchemaBuilder.record("R").doc("why").fields().requiredLong("a").endRecord();

  private record Scripted(int status, String body) {}

  private final Map<String, Queue<Scripted>> script = new ConcurrentHashMap<>();
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private final List<String> authorizations = Collections.synchronizedList(new ArrayList<>());
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          String request =
              exchange.getRequestMethod() + " " + exchange.getRequestURI().getRawPath();
          requests.add(body.isEmpty() ? request : request + " " + body);
          authorizations.add(
              String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          Queue<Scripted> answers = script.getOrDefault(request, new ConcurrentLinkedQueue<>());
          Scripted answer = answers.poll();
          if (answer == null) {
            answer = new Scripted(404, "{\"error_code\":404,\"message\":\"not scripted\"}");
          }
          byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void whatWasAskedOnceIsKnownWhenTheRegistryIsDown() {
    answer("POST /subjects/t-value/versions", 200, "{\"id\":7}");
    answer("GET /schemas/ids/9", 200, "{\"schema\":\"\\\"long\\\"\"}");
    SchemaRegistry registry = new HttpSchemaRegistry(config());
    assertThat(registry.register("t-value", SCHEMA)).isEqualTo(7);
    assertThat(registry.byId(9)).contains(Schema.create(Schema.Type.LONG));

    server.stop(0);

    assertThat(registry.register("t-value", SCHEMA)).isEqualTo(7);
    assertThat(registry.find("t-value", SCHEMA)).contains(7);
    assertThat(registry.byId(7)).contains(SCHEMA);
    assertThat(registry.byId(9)).contains(Schema.create(Schema.Type.LONG));
    assertThatThrownBy(() -> registry.byId(10))
        .isInstanceOf(SchemaRegistryUnavailableException.class)
        .hasMessageContaining("/schemas/ids/10")
        .hasMessageContaining(url());
    assertThat(requests).hasSize(2);
  }

  @Test
  void theSchemaIsSentWithItsDocumentation() {
    answer("POST /subjects/t-value/versions", 200, "{\"id\":7}");
    new HttpSchemaRegistry(config()).register("t-value", SCHEMA);
    assertThat(requests.get(0)).contains("\\\"doc\\\":\\\"why\\\"");
  }

  @Test
  void passingFailuresAreTriedAgain() {
    answer("GET /schemas/ids/9", 503, "");
    answer("GET /schemas/ids/9", 500, "{\"error_code\":50001,\"message\":\"leader\"}");
    answer("GET /schemas/ids/9", 429, "slow down");
    answer("GET /schemas/ids/9", 200, "{\"schema\":\"\\\"int\\\"\"}");
    assertThat(new HttpSchemaRegistry(config()).byId(9)).contains(Schema.create(Schema.Type.INT));
  }

  @Test
  void anotherInstanceIsAskedWhenOneIsDown() {
    answer("GET /schemas/ids/9", 200, "{\"schema\":\"\\\"int\\\"\"}");
    SchemaRegistry registry =
        new HttpSchemaRegistry(
            SchemaRegistryConfig.of("http://127.0.0.1:1", url())
                .withRetryFor(Duration.ofSeconds(10)));
    assertThat(registry.byId(9)).isPresent();
  }

  @Test
  void onlyTheRegistrysOwnWordCountsAsNotFound() {
    answer("GET /schemas/ids/1", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
    answer("POST /subjects/t-value", 404, "{\"error_code\":40401,\"message\":\"no subject\"}");
    answer("GET /subjects/t-value/versions", 404, "{\"error_code\":40401,\"message\":\"no\"}");
    SchemaRegistry registry = new HttpSchemaRegistry(config());
    assertThat(registry.byId(1)).isEmpty();
    assertThat(registry.find("t-value", SCHEMA)).isEmpty();
    assertThat(registry.versions("t-value")).isEmpty();
    assertThatThrownBy(() -> registry.byId(2))
        .isExactlyInstanceOf(SchemaRegistryException.class)
        .hasMessageContaining("not scripted");
  }

  @Test
  void whatIsNotFoundIsAskedAgain() {
    answer("GET /schemas/ids/1", 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
    answer("GET /schemas/ids/1", 200, "{\"schema\":\"\\\"int\\\"\"}");
    SchemaRegistry registry = new HttpSchemaRegistry(config());
    assertThat(registry.byId(1)).isEmpty();
    assertThat(registry.byId(1)).isPresent();
  }

  @Test
  void aRefusedSchemaIsReportedInTheRegistrysWords() {
    answer(
        "POST /subjects/t-value/versions",
        409,
        "{\"error_code\":409,\"message\":\"incompatible with version 1\"}");
    assertThatThrownBy(() -> new HttpSchemaRegistry(config()).register("t-value", SCHEMA))
        .asInstanceOf(type(SchemaRegistryException.class))
        .satisfies(e -> assertThat(e.errorCode()).isEqualTo(409))
        .satisfies(e -> assertThat(e).hasMessageContaining("incompatible with version 1"));
  }

  @Test
  void credentialsAreSentAndNeverShown() {
    answer("GET /schemas/ids/1", 401, "");
    SchemaRegistryConfig config = config().withCredentials("ada", "s3cret");
    assertThatThrownBy(() -> new HttpSchemaRegistry(config).byId(1))
        .isExactlyInstanceOf(SchemaRegistryException.class)
        .hasMessageContaining("ada")
        .hasMessageNotContaining("s3cret");
    assertThat(authorizations)
        .containsExactly(
            "Basic "
                + Base64.getEncoder()
                    .encodeToString("ada:s3cret".getBytes(StandardCharsets.UTF_8)));
    assertThat(config.toString()).doesNotContain("s3cret");
  }

  @Test
  void subjectsAreEncodedInPaths() {
    answer("GET /subjects/a%20b%2Fc%2Bd/versions", 200, "[1,3]");
    assertThat(new HttpSchemaRegistry(config()).versions("a b/c+d")).containsExactly(1, 3);
  }

  @Test
  void compatibilityIsAskedAndSet() {
    answer("POST /compatibility/subjects/t-value/versions", 200, "{\"is_compatible\":false}");
    answer("PUT /config/t-value", 200, "{\"compatibility\":\"FULL_TRANSITIVE\"}");
    SchemaRegistry registry = new HttpSchemaRegistry(config());
    assertThat(registry.isCompatible("t-value", SCHEMA)).isFalse();
    registry.compatibility("t-value", CompatibilityLevel.FULL_TRANSITIVE);
    assertThat(requests.get(1)).endsWith("{\"compatibility\":\"FULL_TRANSITIVE\"}");
  }

  @Test
  void somethingThatIsNoRegistryIsNamed() {
    answer("GET /schemas/ids/1", 200, "<html>welcome</html>");
    assertThatThrownBy(() -> new HttpSchemaRegistry(config()).byId(1))
        .isExactlyInstanceOf(SchemaRegistryException.class)
        .hasMessageContaining(url())
        .hasMessageContaining("check the registry url");
  }

  @Test
  void aSchemaThatCannotBeParsedIsNamedByItsId() {
    answer("GET /schemas/ids/4", 200, "{\"schema\":\"{\\\"type\\\":\\\"g.Absent\\\"}\"}");
    answer("GET /schemas/ids/5", 200, "{\"schemaType\":\"JSON\",\"schema\":\"{}\"}");
    SchemaRegistry registry = new HttpSchemaRegistry(config());
    assertThatThrownBy(() -> registry.byId(4))
        .isExactlyInstanceOf(SchemaRegistryException.class)
        .hasMessageContaining("schema id 4");
    assertThatThrownBy(() -> registry.byId(5))
        .isExactlyInstanceOf(SchemaRegistryException.class)
        .hasMessageContaining("JSON");
  }

  @Test
  void urlsThatCannotWorkAreRefusedAtOnce() {
    assertThatThrownBy(() -> SchemaRegistryConfig.of())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> SchemaRegistryConfig.of("registry:8081"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("registry:8081");
    assertThatThrownBy(() -> SchemaRegistryConfig.of("http://ada:s3cret@host:1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageNotContaining("s3cret");
  }

  private void answer(String request, int status, String body) {
    script
        .computeIfAbsent(request, key -> new ConcurrentLinkedQueue<>())
        .add(new Scripted(status, body));
  }

  private SchemaRegistryConfig config() {
    return new SchemaRegistryConfig(
        SchemaRegistryConfig.of(url()).urls(),
        null,
        null,
        Duration.ofSeconds(5),
        Duration.ofMillis(800),
        Duration.ofMillis(10),
        Duration.ofMillis(50),
        null);
  }

  private String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }
}
