package io.crosstide.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.api.ApiClient;
import io.crosstide.cli.api.ApiOptions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tells whether all regions hold the same. */
@Command(
    name = "verify",
    description = {
      "Wait until everything published is applied everywhere, then compare all regions' Redis"
          + " completely, and each with its merged state."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide verify",
      "  crosstide verify --timeout 10m && echo the same everywhere",
      "",
      "Writes may go on meanwhile: a difference counts only if nothing was written to the logs",
      "while it was looked at. Exit status: 0 equal, 3 different, 1 could not tell.",
    })
final class VerifyCommand implements Callable<Integer> {
  /** How long a result is awaited beyond the timeout given to the verification itself. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** Progress is told no more often than people can read it. */
  private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(1);

  @Mixin private ApiOptions api;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      defaultValue = "60s",
      converter = UnitConverters.OfDuration.class,
      description = "How long to wait for writes to arrive everywhere (default: ${DEFAULT-VALUE}).")
  private Duration timeout;

  @Override
  public Integer call() throws InterruptedException {
    ApiClient client = api.client();
    ObjectNode request = client.json().createObjectNode().put("timeout_ms", timeout.toMillis());
    JsonNode run = client.post("/api/v1/verify", request);
    String path = "/api/v1/verify/" + run.path("id").asLong();
    long deadline = System.nanoTime() + timeout.plus(PATIENCE).toNanos();
    String told = "";
    long toldNanos = System.nanoTime() - TELL_NANOS;
    while (!run.path("state").asText().equals("done")) {
      String progress = run.path("progress").asText();
      if (!progress.equals(told) && System.nanoTime() - toldNanos >= TELL_NANOS) {
        api.err().println(progress);
        api.err().flush();
        told = progress;
        toldNanos = System.nanoTime();
      }
      if (System.nanoTime() - deadline > 0) {
        client.delete(path);
        throw new CliException("could not tell: the verification did not end, last: " + told);
      }
      TimeUnit.MILLISECONDS.sleep(100);
      run = client.get(path);
    }
    if (api.isJson()) {
      api.out().println(run.toPrettyString());
    } else {
      show(run);
    }
    api.out().flush();
    return switch (run.path("result").asText()) {
      case "equal" -> ExitCodes.OK;
      case "different" -> ExitCodes.DIFFERENT;
      default -> ExitCodes.FAILURE;
    };
  }

  private void show(JsonNode run) {
    api.out()
        .println(
            run.path("result").asText().replace('_', ' ') + ": " + run.path("progress").asText());
    for (JsonNode difference : run.path("differences")) {
      long db = difference.path("db").asLong();
      api.out()
          .println(
              "  "
                  + (db == 0 ? "" : "db " + db + " ")
                  + difference.path("key").asText()
                  + ": "
                  + difference.path("what").asText());
      for (Map.Entry<String, JsonNode> place : difference.path("places").properties()) {
        String fields =
            place.getValue().properties().stream()
                .map(field -> field.getKey() + " " + field.getValue().asText())
                .collect(Collectors.joining(", "));
        api.out().println("    " + place.getKey() + ": " + fields);
      }
    }
    long more = run.path("differences_total").asLong() - run.path("differences").size();
    if (more > 0) {
      api.out().println("  and " + more + " more");
    }
  }
}
