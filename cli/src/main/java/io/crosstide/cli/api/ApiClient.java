package io.crosstide.cli.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.cli.CliException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A client of the HTTP API. Whatever goes wrong is a {@link CliException} with a sentence that says
 * what to do.
 */
public final class ApiClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final URI address;
  private final ObjectMapper json = new ObjectMapper();
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();

  /**
   * @param address of the API, without a path
   */
  public ApiClient(URI address) {
    this.address = address;
  }

  public URI address() {
    return address;
  }

  public JsonNode get(String path) {
    return send(request(path).GET());
  }

  public JsonNode post(String path, JsonNode body) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString())));
  }

  public JsonNode delete(String path) {
    return send(request(path).DELETE());
  }

  public ObjectMapper json() {
    return json;
  }

  /** {@code text} as part of an address. */
  public static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(address.resolve(path)).timeout(TIMEOUT);
  }

  private JsonNode send(HttpRequest.Builder builder) {
    HttpRequest request = builder.build();
    try {
      HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
      JsonNode body = parse(response.body());
      if (response.statusCode() / 100 != 2) {
        String error = body == null ? "" : body.path("error").asText("");
        throw new CliException(
            error.isEmpty()
                ? address + " answered " + response.statusCode() + " to " + request.uri().getPath()
                : error);
      }
      if (body == null) {
        throw new CliException(address + " answered, but not like Crosstide: check --http");
      }
      return body;
    } catch (ConnectException e) {
      throw new CliException(
          "nothing answers at "
              + address
              + ": start one with './crosstide sandbox', or say with --http where it is",
          e);
    } catch (IOException e) {
      throw new CliException("talking to " + address + " failed: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted", e);
    }
  }

  private @Nullable JsonNode parse(byte[] body) {
    try {
      return json.readTree(body);
    } catch (IOException e) {
      // Not JSON: some other program listens there, which the caller reports.
      return null;
    }
  }
}
