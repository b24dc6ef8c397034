package io.crosstide.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.crosstide.cli.api.ApiOptions;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows what all roles have counted. */
@Command(
    name = "stats",
    description =
        "Show what every region has captured and applied, and how far behind each link is.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide stats",
      "  crosstide stats --output json | jq '.pairs[] | {from, to, backlog}'",
      "",
      "captured    changes of local writes published to the region's log",
      "applied     changes of other regions written to this Redis",
      "duplicates  events received twice and dropped",
      "misses      effects that met a local write on its way and were planned anew",
      "probes      elements read back from Redis to be sure",
      "conflicts   concurrent writes of which one is not to be seen",
    })
final class StatsCommand implements Runnable {
  @Mixin private ApiOptions api;

  @Override
  public void run() {
    JsonNode stats = api.client().get("/api/v1/stats");
    if (api.isJson()) {
      api.out().println(stats.toPrettyString());
    } else {
      regions(stats);
      api.out().println();
      pairs(stats);
      unsupported(stats);
      for (JsonNode address : stats.path("unreachable")) {
        api.err().println("Not included: nothing answers at " + address.asText() + ".");
      }
    }
    api.out().flush();
    api.err().flush();
  }

  private void regions(JsonNode stats) {
    Table table =
        new Table(
            "region",
            "captured",
            "applied",
            "duplicates",
            "misses",
            "probes",
            "conflicts",
            "unsupported",
            "roles");
    for (Map.Entry<String, JsonNode> region : stats.path("regions").properties()) {
      JsonNode of = region.getValue();
      long unsupported =
          StreamSupport.stream(of.path("unsupported").spliterator(), false)
              .mapToLong(JsonNode::asLong)
              .sum();
      table.row(
          region.getKey(),
          count(of, "captured"),
          count(of, "applied"),
          count(of, "duplicates"),
          count(of, "guard_misses"),
          count(of, "probes"),
          count(of, "conflicts"),
          of.has("unsupported") ? unsupported : "-",
          roles(of.path("roles")));
    }
    table.print(api.out());
  }

  private static String count(JsonNode region, String field) {
    return region.has(field) ? region.path(field).asText() : "-";
  }

  private static String roles(JsonNode roles) {
    return roles.properties().stream()
        .map(role -> role.getKey() + " " + role.getValue().path("state").asText())
        .collect(Collectors.joining(", "));
  }

  private void pairs(JsonNode stats) {
    Table table =
        new Table("from", "to", "backlog", "lag p50 ms", "lag p99 ms", "events", "wire bytes");
    for (JsonNode pair : stats.path("pairs")) {
      table.row(
          pair.path("from").asText(),
          pair.path("to").asText(),
          pair.path("backlog").asLong(),
          lag(pair, "p50"),
          lag(pair, "p99"),
          pair.path("events").asLong(),
          pair.path("wire_bytes").asLong());
    }
    table.print(api.out());
  }

  /** Of the last half minute; a pair without events then has none. */
  private static String lag(JsonNode pair, String percentile) {
    JsonNode millis = pair.path("lag_ms").path(percentile);
    return millis.asDouble() == 0 ? "-" : millis.asText();
  }

  private void unsupported(JsonNode stats) {
    for (Map.Entry<String, JsonNode> region : stats.path("regions").properties()) {
      List<String> names =
          region.getValue().path("unsupported").properties().stream()
              .map(command -> command.getKey() + " " + command.getValue().asLong())
              .sorted()
              .toList();
      if (!names.isEmpty()) {
        api.out().println();
        api.out()
            .println("Not replicated from " + region.getKey() + ": " + String.join(", ", names));
      }
    }
  }
}
