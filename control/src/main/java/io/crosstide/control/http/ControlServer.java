package io.crosstide.control.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.Javalin;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.util.JavalinBindException;
import java.io.IOException;
import java.net.URI;
import java.util.Locale;
import java.util.Set;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of one process. Every answer is JSON but metrics; every error is {@code {"error":
 * "sentence"}}. Shapes are in {@code docs/reference/http-api.md}.
 *
 * <p>There are no passwords. Requests whose {@code Host} is neither an address nor one of the names
 * it was started under are refused, and changes must be sent as JSON: so no web page that a user
 * visits can reach an API on this machine.
 */
public final class ControlServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ControlServer.class);
  private static final int BODY_BYTES_MAX = 64 * 1024;

  /** Set on requests whose 404 already says what is missing. */
  private static final String ANSWERED = "crosstide.answered";

  private final Javalin javalin;
  private final ObjectMapper json;
  private final String bind;
  private final Set<String> hosts;

  private ControlServer(ControlNode node, String bind, Set<String> hosts, ObjectMapper json) {
    this.json = json;
    this.bind = bind;
    this.hosts = hosts;
    this.javalin =
        Javalin.create(
            config -> {
              config.showJavalinBanner = false;
              config.startupWatcherEnabled = false;
              config.http.maxRequestSize = BODY_BYTES_MAX;
              config.jetty.threadPool = new QueuedThreadPool(16, 2, 10_000);
            });
    javalin.before(this::guard);
    new StatusApi(this, node).register(javalin);
    new WanApi(this, node).register(javalin);
    new VerifyApi(this, node).register(javalin);
    new ProcessApi(this, node).register(javalin);
    javalin.exception(
        ApiException.class,
        (e, ctx) -> {
          ctx.attribute(ANSWERED, true);
          error(ctx, e.status(), e.getMessage());
        });
    javalin.exception(
        HttpResponseException.class, (e, ctx) -> error(ctx, e.getStatus(), e.getMessage()));
    javalin.exception(IOException.class, (e, ctx) -> error(ctx, 503, e.getMessage()));
    javalin.exception(
        Exception.class,
        (e, ctx) -> {
          log.error("{} {} failed", ctx.method(), ctx.path(), e);
          error(ctx, 500, "internal error, see the log: " + e);
        });
    javalin.error(
        404,
        ctx -> {
          if (ctx.attribute(ANSWERED) == null) {
            error(ctx, 404, "there is nothing at " + ctx.method() + " " + ctx.path());
          }
        });
  }

  /**
   * Starts serving.
   *
   * @param hosts names under which it may be addressed, besides plain addresses and localhost
   * @param port 0 for any free one
   * @throws IOException if the port is taken
   */
  public static ControlServer start(
      ControlNode node, String bind, int port, Set<String> hosts, ObjectMapper json)
      throws IOException {
    ControlServer server = new ControlServer(node, bind, Set.copyOf(hosts), json);
    try {
      server.javalin.start(bind, port);
    } catch (JavalinBindException e) {
      server.close();
      throw new IOException("HTTP port " + port + " on " + bind + " is in use", e);
    }
    return server;
  }

  public int port() {
    return javalin.port();
  }

  /** Where it can be reached from this machine. */
  public URI address() {
    String host = bind.equals("0.0.0.0") || bind.equals("::") ? "127.0.0.1" : bind;
    return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port());
  }

  @Override
  public void close() {
    javalin.stop();
  }

  void respond(Context ctx, JsonNode body) {
    try {
      ctx.contentType("application/json").result(json.writeValueAsBytes(body));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a JSON tree can always be written", e);
    }
  }

  ObjectMapper json() {
    return json;
  }

  /** The request's body as a JSON object. */
  JsonNode body(Context ctx) {
    String type = ctx.contentType();
    if (type == null || !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
      throw new ApiException(415, "send JSON, with Content-Type: application/json");
    }
    try {
      JsonNode body = ctx.body().isEmpty() ? json.createObjectNode() : json.readTree(ctx.body());
      if (!body.isObject()) {
        throw new ApiException(400, "the body must be a JSON object");
      }
      return body;
    } catch (JsonProcessingException e) {
      throw new ApiException(400, "the body is not JSON: " + e.getOriginalMessage());
    }
  }

  private void error(Context ctx, int status, @Nullable String message) {
    respond(
        ctx.status(status),
        json.createObjectNode().put("error", message == null ? "error " + status : message));
  }

  private void guard(Context ctx) {
    String host = ctx.header("Host");
    if (host != null && !isOwnName(host)) {
      throw new ApiException(
          403, "this API is not served under the name '" + host + "': use its address");
    }
  }

  private boolean isOwnName(String header) {
    String name = header.startsWith("[") ? header : header.replaceFirst(":[0-9]*$", "");
    return name.startsWith("[")
        || name.matches("[0-9.]+")
        || name.equals("localhost")
        || hosts.contains(name);
  }
}
