package io.crosstide.control.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.role.RegionInfo;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.RedisKey;
import io.javalin.Javalin;
import io.javalin.http.Context;
import java.lang.management.ManagementFactory;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Status, statistics, explanations and metrics: everything that only reads. */
final class StatusApi {
  private final ControlServer server;
  private final ControlNode node;

  StatusApi(ControlServer server, ControlNode node) {
    this.server = server;
    this.node = node;
  }

  void register(Javalin javalin) {
    javalin.get("/api/v1/status", this::status);
    javalin.get("/api/v1/stats", this::stats);
    javalin.get("/api/v1/explain", this::explain);
    javalin.get(
        "/metrics",
        ctx ->
            ctx.contentType("text/plain; version=0.0.4; charset=utf-8")
                .result(node.metrics().get()));
  }

  private void status(Context ctx) {
    ObjectNode out = server.json().createObjectNode();
    out.put("mode", node.mode());
    out.put("pid", ProcessHandle.current().pid());
    out.put("uptime_ms", ManagementFactory.getRuntimeMXBean().getUptime());
    out.put("ready", node.ready().get());
    out.put("partitions", node.partitions());
    ArrayNode regions = out.putArray("regions");
    List<RoleHandle> roles = node.roles().get();
    for (RegionInfo region : node.regions()) {
      ObjectNode one = regions.addObject();
      one.put("name", region.name());
      one.put("id", region.id());
      one.put("redis", region.redis().toString());
      one.put("kafka", region.kafka());
      one.put("registry", region.registry().toString());
      ArrayNode running = one.putArray("roles");
      roles.stream()
          .filter(role -> role.region().equals(region.name()))
          .forEach(
              role ->
                  running
                      .addObject()
                      .put("name", role.name())
                      .put("state", role.status().state())
                      .put(
                          "health",
                          role.status().health().name().toLowerCase(java.util.Locale.ROOT))
                      .put("detail", role.status().detail()));
    }
    server.respond(ctx, out);
  }

  private void stats(Context ctx) {
    boolean process = "process".equals(ctx.queryParam("scope"));
    server.respond(ctx, process ? node.stats().process() : node.stats().deployment());
  }

  private void explain(Context ctx) {
    server.respond(ctx, node.explain().explain(key(ctx)));
  }

  private static RedisKey key(Context ctx) {
    String text = ctx.queryParam("key");
    String base64 = ctx.queryParam("key_base64");
    if ((text == null) == (base64 == null)) {
      throw new ApiException(400, "name the key by 'key' or by 'key_base64'");
    }
    Bytes name = text != null ? Bytes.utf8(text) : decoded(String.valueOf(base64));
    return new RedisKey(db(ctx.queryParam("db")), name);
  }

  private static Bytes decoded(String base64) {
    try {
      return Bytes.wrap(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException e) {
      throw new ApiException(400, "'key_base64' is not Base64: " + e.getMessage());
    }
  }

  static int db(@Nullable String text) {
    try {
      int db = text == null ? 0 : Integer.parseInt(text);
      if (db >= 0) {
        return db;
      }
    } catch (NumberFormatException e) {
      throw new ApiException(400, "'db' must be the number of a database, not '" + text + "'");
    }
    throw new ApiException(400, "'db' must not be negative");
  }
}
