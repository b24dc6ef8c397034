package io.crosstide.control.stats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The other processes of a deployment, asked over HTTP. Which of the configured addresses are in
 * use depends on how the roles are spread; an address that does not answer is reported, no more.
 */
public final class Peers {
  private static final Logger log = LoggerFactory.getLogger(Peers.class);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final Duration STREAM_TIMEOUT = Duration.ofMinutes(10);

  private final List<URI> addresses;
  private final ObjectMapper json;
  private final @Nullable HttpClient client;

  /**
   * @param addresses of other processes only
   */
  public Peers(List<URI> addresses, ObjectMapper json) {
    this.addresses = List.copyOf(addresses);
    this.json = json;
    this.client =
        addresses.isEmpty()
            ? null
            : HttpClient.newBuilder()
                .connectTimeout(CONNECT_TIMEOUT)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
  }

  /** Whether this process is the whole deployment. */
  public boolean isAlone() {
    return addresses.isEmpty();
  }

  /**
   * What the peers said.
   *
   * @param bodies of those that answered 200
   * @param unreachable addresses of those that did not answer at all
   */
  public record Answers(List<JsonNode> bodies, List<String> unreachable) {}

  /** Asks all peers at once. */
  public Answers get(String path) {
    HttpClient http = client;
    if (http == null) {
      return new Answers(List.of(), List.of());
    }
    Map<URI, CompletableFuture<HttpResponse<byte[]>>> asked = new LinkedHashMap<>();
    for (URI address : addresses) {
      HttpRequest request =
          HttpRequest.newBuilder(address.resolve(path)).timeout(TIMEOUT).GET().build();
      asked.put(address, http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()));
    }
    List<JsonNode> bodies = new ArrayList<>();
    List<String> unreachable = new ArrayList<>();
    asked.forEach(
        (address, answer) -> {
          try {
            HttpResponse<byte[]> response = answer.join();
            if (response.statusCode() == 200) {
              bodies.add(json.readTree(response.body()));
            }
          } catch (CompletionException | IOException e) {
            unreachable.add(address.toString());
          }
        });
    return new Answers(bodies, unreachable);
  }

  /**
   * The first peer's answer that is 200, as a stream of bytes.
   *
   * @throws IOException naming {@code what} if no peer has one
   */
  public InputStream stream(String path, String what) throws IOException {
    HttpClient http = client;
    if (http != null) {
      for (URI address : addresses) {
        try {
          HttpRequest request =
              HttpRequest.newBuilder(address.resolve(path)).timeout(STREAM_TIMEOUT).GET().build();
          HttpResponse<InputStream> response =
              http.send(request, HttpResponse.BodyHandlers.ofInputStream());
          if (response.statusCode() == 200) {
            return response.body();
          }
          response.body().close();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted while asking " + address, e);
        } catch (java.net.ConnectException | java.net.http.HttpTimeoutException e) {
          log.debug("{} does not answer; not every configured address is in use", address, e);
        }
      }
    }
    throw new IOException("no process of this deployment that answers has " + what);
  }
}
