package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Between HTTP and {@link RegistryRouter}. */
final class RegistryHandler implements HttpHandler {
  private static final Logger log = LoggerFactory.getLogger(RegistryHandler.class);
  private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";
  private static final int OK = 200;
  private static final int BODY_BYTES_MAX = 4 << 20;
  private static final int NO_BODY = -1;

  private final ObjectMapper json = new ObjectMapper();
  private final RegistryRouter router;

  RegistryHandler(RegistryRouter router) {
    this.router = router;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      int status = OK;
      byte[] answer;
      try {
        Object found = router.answer(read(exchange));
        answer =
            found instanceof JsonNode node
                ? json.writeValueAsBytes(node)
                : found.toString().getBytes(StandardCharsets.UTF_8);
      } catch (RegistryError e) {
        status = e.status();
        answer = error(e.errorCode(), String.valueOf(e.getMessage()));
        if (status >= 500) {
          log.warn(
              "{} {}: {}", exchange.getRequestMethod(), exchange.getRequestURI(), e.getMessage());
        }
      } catch (RuntimeException e) {
        log.error("{} {} failed", exchange.getRequestMethod(), exchange.getRequestURI(), e);
        status = 500;
        answer = error(50001, "unexpected: " + e);
      }
      exchange.getResponseHeaders().set("Content-Type", MEDIA_TYPE);
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(status, head ? NO_BODY : answer.length);
      if (!head) {
        exchange.getResponseBody().write(answer);
      }
    }
  }

  private RegistryRouter.Request read(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
    if (body.length > BODY_BYTES_MAX) {
      throw new RegistryError(413, "the request has more than " + BODY_BYTES_MAX + " bytes");
    }
    return new RegistryRouter.Request(
        exchange.getRequestMethod(),
        segments(exchange.getRequestURI().getRawPath()),
        query(exchange.getRequestURI().getRawQuery()),
        parse(body));
  }

  private JsonNode parse(byte[] body) throws IOException {
    if (body.length == 0) {
      return json.createObjectNode();
    }
    try {
      return json.readTree(body);
    } catch (JsonProcessingException e) {
      throw RegistryError.badRequest("the request is not JSON: " + e.getOriginalMessage());
    }
  }

  private static List<String> segments(String path) {
    List<String> segments = new ArrayList<>();
    for (String segment : path.split("/")) {
      if (!segment.isEmpty()) {
        segments.add(decode(segment.replace("+", "%2B")));
      }
    }
    return segments;
  }

  private static Map<String, String> query(String query) {
    Map<String, String> parameters = new HashMap<>();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        parameters.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
      }
    }
    return parameters;
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw RegistryError.badRequest("'" + text + "' is not a URL-encoded text");
    }
  }

  private byte[] error(int code, String message) {
    try {
      return json.writeValueAsBytes(
          json.createObjectNode().put("error_code", code).put("message", message));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("two plain fields become JSON", e);
    }
  }
}
