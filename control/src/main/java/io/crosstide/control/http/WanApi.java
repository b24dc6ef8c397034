package io.crosstide.control.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.config.DidYouMean;
import io.crosstide.control.role.RegionInfo;
import io.crosstide.control.role.WanControl;
import io.javalin.Javalin;
import io.javalin.http.Context;
import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;

/** The emulated WAN of a sandbox. Every change answers with all links as they then are. */
final class WanApi {
  private static final long DELAY_MILLIS_MAX = 60_000;

  private final ControlServer server;
  private final ControlNode node;

  WanApi(ControlServer server, ControlNode node) {
    this.server = server;
    this.node = node;
  }

  void register(Javalin javalin) {
    javalin.get("/api/v1/wan", ctx -> respond(ctx, wan()));
    javalin.post("/api/v1/wan/cut", ctx -> onPair(ctx, wan()::cut));
    javalin.post("/api/v1/wan/heal", this::heal);
    javalin.post("/api/v1/wan/delay", this::delay);
    javalin.post("/api/v1/wan/rate", this::rate);
  }

  private void heal(Context ctx) {
    JsonNode body = server.body(ctx);
    WanControl wan = wan();
    if (!body.has("a") && !body.has("b")) {
      wan.links().forEach(link -> wan.heal(link.from(), link.to()));
      respond(ctx, wan);
    } else {
      onPair(ctx, wan::heal);
    }
  }

  private void delay(Context ctx) {
    long millis = number(server.body(ctx), "delay_ms");
    if (millis > DELAY_MILLIS_MAX) {
      throw new ApiException(400, "'delay_ms' is " + millis + ": at most " + DELAY_MILLIS_MAX);
    }
    onPair(ctx, (a, b) -> wan().delay(a, b, Duration.ofMillis(millis)));
  }

  private void rate(Context ctx) {
    JsonNode body = server.body(ctx);
    boolean unlimited = body.path("bytes_per_s").isNull();
    long rate = unlimited ? Long.MAX_VALUE : number(body, "bytes_per_s");
    if (rate == 0) {
      throw new ApiException(400, "a rate of 0 lets nothing through: cut the link for that");
    }
    onPair(ctx, (a, b) -> wan().rate(a, b, rate));
  }

  private void onPair(Context ctx, BiConsumer<String, String> action) {
    JsonNode body = server.body(ctx);
    String a = region(body, "a");
    String b = region(body, "b");
    if (a.equals(b)) {
      throw new ApiException(400, "a link has two ends: '" + a + "' was named twice");
    }
    action.accept(a, b);
    respond(ctx, wan());
  }

  private String region(JsonNode body, String field) {
    String name = body.path(field).asText("");
    List<String> known = node.regions().stream().map(RegionInfo::name).toList();
    if (!known.contains(name)) {
      throw new ApiException(
          400,
          name.isEmpty()
              ? "'" + field + "' must name a region: " + String.join(", ", known)
              : "there is no region '"
                  + name
                  + "'"
                  + DidYouMean.among(known, name)
                      .map(near -> "; did you mean '" + near + "'?")
                      .orElse("; known: " + String.join(", ", known)));
    }
    return name;
  }

  private static long number(JsonNode body, String field) {
    JsonNode value = body.path(field);
    if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < 0) {
      throw new ApiException(400, "'" + field + "' must be a whole number, 0 or more");
    }
    return value.asLong();
  }

  private WanControl wan() {
    WanControl wan = node.wan();
    if (wan == null) {
      throw new ApiException(404, "this is no sandbox: it has no emulated WAN");
    }
    return wan;
  }

  private void respond(Context ctx, WanControl wan) {
    ObjectNode out = server.json().createObjectNode();
    ArrayNode links = out.putArray("links");
    for (WanControl.Link link : wan.links()) {
      ObjectNode one = links.addObject();
      one.put("from", link.from());
      one.put("to", link.to());
      one.put("state", link.cut() ? "cut" : "up");
      one.put("delay_ms", link.delay().toMillis());
      if (link.bytesPerSecondMax() == Long.MAX_VALUE) {
        one.putNull("bytes_per_s");
      } else {
        one.put("bytes_per_s", link.bytesPerSecondMax());
      }
      one.put("bytes", link.bytes());
      one.put("connections", link.connections());
    }
    server.respond(ctx, out);
  }
}
