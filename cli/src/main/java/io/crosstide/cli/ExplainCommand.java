package io.crosstide.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.crosstide.cli.api.ApiClient;
import io.crosstide.cli.api.ApiOptions;
import java.time.Instant;
import java.util.Map;
import java.util.StringJoiner;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows one key in every region, and why it has its value. */
@Command(
    name = "explain",
    description = "Show a key in every region: what Redis holds, the merged state, and why.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide explain user:17",
      "  crosstide explain cart:9 --db 3",
      "  crosstide explain user:17 --output json | jq '.regions[].merged.elements[].writes'",
    })
final class ExplainCommand implements Runnable {
  @Mixin private ApiOptions api;

  @Parameters(paramLabel = "KEY", description = "The key's name, as text.")
  private String key;

  @Option(
      names = "--db",
      paramLabel = "N",
      defaultValue = "0",
      description = "Number of the database (default: ${DEFAULT-VALUE}).")
  private int db;

  @Override
  public void run() {
    JsonNode answer =
        api.client().get("/api/v1/explain?key=" + ApiClient.encoded(key) + "&db=" + db);
    if (api.isJson()) {
      api.out().println(answer.toPrettyString());
    } else {
      for (Map.Entry<String, JsonNode> region : answer.path("regions").properties()) {
        show(region.getKey(), region.getValue());
      }
    }
    api.out().flush();
    checkAllAnswered(answer.path("regions"));
  }

  private static void checkAllAnswered(JsonNode regions) {
    StringJoiner errors = new StringJoiner("; ");
    for (Map.Entry<String, JsonNode> region : regions.properties()) {
      JsonNode error = region.getValue().path("redis").path("error");
      if (error.isTextual()) {
        errors.add(region.getKey() + ": " + error.asText());
      }
    }
    if (errors.length() > 0) {
      throw new CliException("the key could not be read from every Redis: " + errors);
    }
  }

  private void show(String region, JsonNode of) {
    JsonNode redis = of.path("redis");
    api.out().println(region);
    if (redis.has("error")) {
      api.out().println("  Redis   " + redis.path("error").asText());
    } else {
      String expiry =
          redis.has("expires_in_ms")
              ? ", expires in " + redis.path("expires_in_ms").asLong() + " ms"
              : "";
      api.out().println("  Redis   " + redis.path("type").asText() + expiry + content(redis));
    }
    for (JsonNode element : of.path("merged").path("elements")) {
      String name = element.path("name").asText();
      api.out()
          .println(
              "  merged  "
                  + element.path("kind").asText()
                  + (name.isEmpty() ? "" : " " + name)
                  + visible(element));
      if (element.has("note")) {
        api.out().println("            (" + element.path("note").asText() + ")");
      }
      for (JsonNode write : element.path("writes")) {
        api.out().println("            " + sentence(element, write));
      }
      for (Map.Entry<String, JsonNode> sum : element.path("increments").properties()) {
        api.out().println("            " + sum.getKey() + " added " + sum.getValue().asText());
      }
    }
    api.out().println("  why     " + of.path("why").asText());
    api.out().println();
  }

  private static String visible(JsonNode element) {
    if (element.path("visible").isNull()) {
      return ": absent";
    }
    return isMember(element) ? ": present" : " = " + shown(element, element, "visible");
  }

  private static boolean isMember(JsonNode element) {
    return element.path("kind").asText().equals("set_member");
  }

  /** A value of {@code element}, a deadline as a date. */
  private static String shown(JsonNode element, JsonNode of, String field) {
    JsonNode value = of.path(field);
    if (value.isNull()) {
      return "none";
    }
    return element.path("kind").asText().equals("deadline")
        ? Instant.ofEpochMilli(value.asLong()).toString()
        : value.asText();
  }

  private static String sentence(JsonNode element, JsonNode write) {
    String did = isMember(element) ? " added it" : " wrote " + shown(element, write, "value");
    String when = write.has("time") ? " at " + write.path("time").asText() : "";
    String stamp = write.has("stamp") ? ", stamp " + write.path("stamp").asText() : "";
    return write.path("region").asText()
        + did
        + when
        + "  (dot "
        + write.path("dot").asText()
        + stamp
        + ")";
  }

  private static String content(JsonNode redis) {
    if (redis.has("value")) {
      return ": " + redis.path("value").asText();
    }
    for (String form : new String[] {"fields", "scores", "members"}) {
      if (redis.has(form)) {
        return " of " + redis.path("size").asLong() + ": " + redis.path(form);
      }
    }
    return "";
  }
}
