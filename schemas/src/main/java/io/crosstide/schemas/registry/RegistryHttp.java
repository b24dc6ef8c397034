package io.crosstide.schemas.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request at a time to whichever instance of the registry answers: tries them in turn, waits
 * and tries again until the configured time is up. Requests of the registry's API may all be
 * repeated safely.
 */
final class RegistryHttp {
  private static final Logger log = LoggerFactory.getLogger(RegistryHttp.class);
  private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";
  private static final int SERVER_ERROR = 500;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int BODY_SHOWN_MAX = 200;

  /** An answer that is not worth repeating the request for. */
  record Answer(int status, JsonNode body) {
    boolean isSuccess() {
      return status / 100 == 2;
    }

    /** Confluent's error code, or {@link SchemaRegistryException#NO_CODE}. */
    int errorCode() {
      return body.path("error_code").asInt(SchemaRegistryException.NO_CODE);
    }
  }

  private final ObjectMapper json = new ObjectMapper();
  private final SchemaRegistryConfig config;
  private final HttpClient client;
  private final @Nullable String authorization;

  /** The instance that answered last. */
  private volatile int preferred;

  RegistryHttp(SchemaRegistryConfig config) {
    this.config = config;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(config.requestTimeout());
    if (config.tls() != null) {
      builder.sslContext(config.tls());
    }
    client = builder.build();
    authorization =
        config.user() == null
            ? null
            : "Basic "
                + Base64.getEncoder()
                    .encodeToString(
                        (config.user() + ":" + config.password()).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * @param path with its leading slash
   * @throws SchemaRegistryUnavailableException if no instance answered within the configured time
   * @throws SchemaRegistryException if the credentials are refused
   */
  Answer send(String method, String path, @Nullable JsonNode body) {
    long deadline = System.nanoTime() + config.retryFor().toNanos();
    Duration wait = config.backoffMin();
    String problem = "";
    Exception cause = null;
    boolean logged = false;
    while (true) {
      for (int i = 0; i < config.urls().size(); i++) {
        int instance = (preferred + i) % config.urls().size();
        URI url = config.urls().get(instance);
        try {
          HttpResponse<String> response =
              client.send(request(url, method, path, body), BodyHandlers.ofString());
          if (!isPassing(response.statusCode())) {
            preferred = instance;
            return answer(url, response);
          }
          problem = url + " answered " + response.statusCode() + " " + shortened(response.body());
        } catch (IOException e) {
          problem = url + ": " + e;
          cause = e;
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw unavailable(method, path, "interrupted", e);
        }
      }
      if (System.nanoTime() + wait.toNanos() >= deadline) {
        throw unavailable(method, path, problem, cause);
      }
      if (!logged) {
        log.warn("no schema registry answers, trying on for {}: {}", config.retryFor(), problem);
        logged = true;
      }
      pause(wait, method, path);
      wait = min(wait.multipliedBy(2), config.backoffMax());
    }
  }

  JsonNode object(String field, String value) {
    return json.createObjectNode().put(field, value);
  }

  private HttpRequest request(URI url, String method, String path, @Nullable JsonNode body) {
    String base = url.toString();
    URI target =
        URI.create(base.endsWith("/") ? base.substring(0, base.length() - 1) + path : base + path);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(target)
            .timeout(config.requestTimeout())
            .header("Accept", MEDIA_TYPE + ", application/json")
            .method(
                method,
                body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString()));
    if (body != null) {
      request.header("Content-Type", MEDIA_TYPE);
    }
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    return request.build();
  }

  private Answer answer(URI url, HttpResponse<String> response) {
    int status = response.statusCode();
    if (status == 401 || status == 403) {
      throw new SchemaRegistryException(
          "the schema registry at "
              + url
              + " refuses "
              + (config.user() == null ? "access without a user" : "user " + config.user())
              + " ("
              + status
              + "): check registry user and password",
          status);
    }
    try {
      return new Answer(status, json.readTree(response.body()));
    } catch (JsonProcessingException e) {
      throw new SchemaRegistryException(
          url
              + " does not answer as a schema registry does ("
              + status
              + " "
              + shortened(response.body())
              + "): check the registry url",
          status,
          e);
    }
  }

  private static boolean isPassing(int status) {
    return status >= SERVER_ERROR || status == TOO_MANY_REQUESTS;
  }

  private void pause(Duration wait, String method, String path) {
    try {
      // The caller blocks in any case; an interrupt ends the pause.
      Thread.sleep(wait.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(method, path, "interrupted", e);
    }
  }

  private SchemaRegistryUnavailableException unavailable(
      String method, String path, String problem, @Nullable Exception cause) {
    return new SchemaRegistryUnavailableException(
        "no schema registry answered "
            + method
            + " "
            + path
            + " within "
            + config.retryFor()
            + ", tried "
            + config.urls()
            + "; last: "
            + problem,
        cause);
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  private static String shortened(String body) {
    return body.length() <= BODY_SHOWN_MAX ? body : body.substring(0, BODY_SHOWN_MAX) + "…";
  }
}
