package io.crosstide.control.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.redis.KeyImage;
import io.crosstide.control.redis.Shown;
import io.crosstide.control.verify.Difference;
import io.crosstide.control.verify.Verdict;
import io.crosstide.control.verify.VerifyService;
import io.javalin.Javalin;
import io.javalin.http.Context;
import java.time.Duration;
import java.util.Base64;

/** Verifications: started by POST, watched by GET, stopped by DELETE. */
final class VerifyApi {
  private static final long TIMEOUT_MILLIS_DEFAULT = 60_000;

  private final ControlServer server;
  private final ControlNode node;

  VerifyApi(ControlServer server, ControlNode node) {
    this.server = server;
    this.node = node;
  }

  void register(Javalin javalin) {
    javalin.post("/api/v1/verify", this::start);
    javalin.get("/api/v1/verify/{id}", ctx -> respond(ctx, find(ctx)));
    javalin.delete(
        "/api/v1/verify/{id}",
        ctx -> {
          VerifyService.Run run = find(ctx);
          node.verify().cancel(run);
          respond(ctx, run);
        });
  }

  private void start(Context ctx) {
    JsonNode timeout = server.body(ctx).path("timeout_ms");
    if (!timeout.isMissingNode() && !(timeout.isIntegralNumber() && timeout.asLong() > 0)) {
      throw new ApiException(400, "'timeout_ms' must be a whole number above 0");
    }
    VerifyService.Run run =
        node.verify()
            .start(Duration.ofMillis(timeout.asLong(TIMEOUT_MILLIS_DEFAULT)))
            .orElseThrow(
                () -> new ApiException(409, "a verification is running: wait for it to end"));
    respond(ctx.status(202), run);
  }

  private VerifyService.Run find(Context ctx) {
    String id = ctx.pathParam("id");
    return node.verify()
        .find(id.matches("[0-9]{1,18}") ? Long.parseLong(id) : 0)
        .orElseThrow(() -> new ApiException(404, "there is no verification " + id));
  }

  private void respond(Context ctx, VerifyService.Run run) {
    ObjectNode out = server.json().createObjectNode();
    out.put("id", run.id());
    Verdict verdict = run.verdict();
    out.put("state", verdict == null ? "running" : "done");
    out.put("progress", verdict == null ? run.progress() : verdict.sentence());
    if (verdict != null) {
      out.put("result", verdict.result().text());
      out.put("keys", verdict.keys());
      out.put("differences_total", verdict.differencesTotal());
      ArrayNode differences = out.putArray("differences");
      verdict.differences().forEach(difference -> differences.add(difference(difference)));
    }
    server.respond(ctx, out);
  }

  private ObjectNode difference(Difference difference) {
    ObjectNode out = server.json().createObjectNode();
    byte[] name = difference.key().name().array();
    out.put("key", Shown.text(name));
    out.put("key_base64", Base64.getEncoder().encodeToString(name));
    out.put("db", difference.key().db());
    out.put("what", difference.what());
    ObjectNode places = out.putObject("places");
    difference.images().forEach((place, image) -> places.set(place, image(image)));
    return out;
  }

  private ObjectNode image(KeyImage image) {
    ObjectNode out = server.json().createObjectNode();
    out.put("type", image.type());
    if (!image.isAbsent()) {
      out.put("elements", image.elements());
      out.put("deadline_ms", image.deadlineMillis());
      out.put("digest", Long.toHexString(image.digestHigh()) + Long.toHexString(image.digestLow()));
    }
    return out;
  }
}
