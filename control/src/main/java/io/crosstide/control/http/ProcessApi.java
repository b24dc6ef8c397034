package io.crosstide.control.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.redis.KeyImage;
import io.crosstide.control.role.MergedState;
import io.crosstide.control.verify.LocalMergedImages;
import io.crosstide.control.verify.RemoteMergedImages;
import io.crosstide.protocol.RedisKey;
import io.javalin.Javalin;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/** What this process alone knows, for the deployment's other processes and for the bench. */
final class ProcessApi {
  private static final String CPU = "/api/v1/process/cpu";

  private final ControlServer server;
  private final ControlNode node;

  ProcessApi(ControlServer server, ControlNode node) {
    this.server = server;
    this.node = node;
  }

  void register(Javalin javalin) {
    javalin.get("/api/v1/cpu", this::cpuOfAll);
    javalin.get(CPU, ctx -> server.respond(ctx, cpu()));
    javalin.get("/api/v1/process/explain/{region}", this::explain);
    javalin.get("/api/v1/process/merged/{region}/image", this::image);
    javalin.get("/api/v1/process/merged/{region}/{partition}/position", this::position);
    javalin.get("/api/v1/process/merged/{region}/{partition}/images", this::images);
  }

  private void cpuOfAll(Context ctx) {
    server.respond(ctx, node.stats().processes(cpu(), CPU));
  }

  private ObjectNode cpu() {
    ObjectNode out = server.json().createObjectNode();
    out.put("pid", ProcessHandle.current().pid());
    ObjectNode stages = server.json().createObjectNode();
    node.cpu().microsByStage().forEach(stages::put);
    out.put("cpu_us", node.cpu().totalMicros());
    out.set("stages", stages);
    return out;
  }

  private void explain(Context ctx) throws IOException {
    ObjectNode merged = node.explain().explainMerged(ctx.pathParam("region"), key(ctx));
    if (merged == null) {
      throw notHere(ctx);
    }
    server.respond(ctx, merged);
  }

  private void image(Context ctx) throws IOException {
    text(ctx, new LocalMergedImages(merged(ctx)).image(key(ctx)).encode());
  }

  private void position(Context ctx) throws IOException {
    text(ctx, merged(ctx).position(partition(ctx)).encode());
  }

  private void images(Context ctx) throws IOException {
    LocalMergedImages images = new LocalMergedImages(merged(ctx));
    int partition = partition(ctx);
    ctx.contentType("text/plain; charset=utf-8");
    try (Writer out = new OutputStreamWriter(ctx.outputStream(), StandardCharsets.UTF_8)) {
      images.images(partition, (key, image) -> write(out, key, image));
      // Only a complete answer has this line: a reader takes anything else for a failure.
      out.write(RemoteMergedImages.END + "\n");
    }
  }

  private static void write(Writer out, RedisKey key, KeyImage image) {
    try {
      out.write(RemoteMergedImages.line(key, image) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private MergedState merged(Context ctx) {
    MergedState state = node.merged().apply(ctx.pathParam("region"));
    if (state == null) {
      throw notHere(ctx);
    }
    return state;
  }

  private static ApiException notHere(Context ctx) {
    return new ApiException(
        404, "the merged state of '" + ctx.pathParam("region") + "' is not in this process");
  }

  private int partition(Context ctx) {
    String text = ctx.pathParam("partition");
    int partition = text.matches("[0-9]{1,6}") ? Integer.parseInt(text) : -1;
    if (partition < 0 || partition >= node.partitions()) {
      throw new ApiException(400, "there is no partition " + text);
    }
    return partition;
  }

  private static RedisKey key(Context ctx) {
    String name = ctx.queryParam("name");
    if (name == null) {
      throw new ApiException(400, "'name' is missing");
    }
    try {
      return new RedisKey(StatusApi.db(ctx.queryParam("db")), RemoteMergedImages.fromBase64(name));
    } catch (IllegalArgumentException e) {
      throw new ApiException(400, "'name' is not a key in URL-safe Base64: " + e.getMessage());
    }
  }

  private static void text(Context ctx, String line) {
    ctx.contentType("text/plain; charset=utf-8").result(line + "\n");
  }
}
