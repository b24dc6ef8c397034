package io.crosstide.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.api.ApiClient;
import io.crosstide.cli.api.ApiOptions;
import io.crosstide.control.config.Units;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows and changes the emulated WAN of a sandbox. */
@Command(
    name = "wan",
    description = "Show the links between a sandbox's regions, cut them, slow them down.",
    mixinStandardHelpOptions = true,
    subcommands = {
      WanCommand.Cut.class,
      WanCommand.Heal.class,
      WanCommand.Delay.class,
      WanCommand.Rate.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide wan                             all links",
      "  crosstide wan cut us-east eu-west         no bytes in either direction",
      "  crosstide wan heal                        every link is up again",
      "  crosstide wan delay us-east eu-west 80ms  80 ms one way, 160 ms there and back",
      "  crosstide wan rate us-east eu-west 10MB/s",
    })
final class WanCommand implements Runnable {
  @Mixin private ApiOptions api;

  @Override
  public void run() {
    show(api, api.client().get("/api/v1/wan"));
  }

  private static void show(ApiOptions api, JsonNode answer) {
    if (api.isJson()) {
      api.out().println(answer.toPrettyString());
    } else {
      Table table = new Table("from", "to", "state", "delay", "rate", "sent", "connections");
      for (JsonNode link : answer.path("links")) {
        JsonNode rate = link.path("bytes_per_s");
        table.row(
            link.path("from").asText(),
            link.path("to").asText(),
            link.path("state").asText(),
            Units.format(Duration.ofMillis(link.path("delay_ms").asLong())),
            rate.isNull() ? "unlimited" : Units.formatBytes(rate.asLong()) + "/s",
            Units.formatBytes(link.path("bytes").asLong()),
            link.path("connections").asLong());
      }
      table.print(api.out());
    }
    api.out().flush();
  }

  /** Two regions. */
  private static ObjectNode pair(ApiClient client, String a, String b) {
    return client.json().createObjectNode().put("a", a).put("b", b);
  }

  /** Cuts a pair. */
  @Command(
      name = "cut",
      description = "Let nothing through between two regions, in either direction.",
      mixinStandardHelpOptions = true)
  static final class Cut implements Runnable {
    @Mixin private ApiOptions api;

    @Parameters(index = "0", paramLabel = "A", description = "A region.")
    private String a;

    @Parameters(index = "1", paramLabel = "B", description = "Another region.")
    private String b;

    @Override
    public void run() {
      ApiClient client = api.client();
      show(api, client.post("/api/v1/wan/cut", pair(client, a, b)));
    }
  }

  /** Heals a pair, or all. */
  @Command(
      name = "heal",
      description = "Take back a cut; without regions, every cut.",
      mixinStandardHelpOptions = true)
  static final class Heal implements Runnable {
    @Mixin private ApiOptions api;
    @Spec private CommandSpec spec;

    @Parameters(index = "0", arity = "0..1", paramLabel = "A", description = "A region.")
    private @Nullable String a;

    @Parameters(index = "1", arity = "0..1", paramLabel = "B", description = "Another region.")
    private @Nullable String b;

    @Override
    public void run() {
      ApiClient client = api.client();
      String first = a;
      String second = b;
      if (first != null && second == null) {
        throw new ParameterException(
            spec.commandLine(), "A link has two ends: name a second region, or none.");
      }
      show(
          api,
          client.post(
              "/api/v1/wan/heal",
              first == null || second == null
                  ? client.json().createObjectNode()
                  : pair(client, first, second)));
    }
  }

  /** Delays a pair. */
  @Command(
      name = "delay",
      description = "Delay every byte between two regions, in both directions.",
      mixinStandardHelpOptions = true)
  static final class Delay implements Runnable {
    @Mixin private ApiOptions api;

    @Parameters(index = "0", paramLabel = "A", description = "A region.")
    private String a;

    @Parameters(index = "1", paramLabel = "B", description = "Another region.")
    private String b;

    @Parameters(
        index = "2",
        paramLabel = "DELAY",
        converter = UnitConverters.OfDuration.class,
        description = "One way, as in 80ms; a round trip takes twice that.")
    private Duration delay;

    @Override
    public void run() {
      ApiClient client = api.client();
      show(
          api,
          client.post("/api/v1/wan/delay", pair(client, a, b).put("delay_ms", delay.toMillis())));
    }
  }

  /** Limits a pair's rate. */
  @Command(
      name = "rate",
      description = "Limit the byte rate between two regions, for each direction.",
      mixinStandardHelpOptions = true)
  static final class Rate implements Runnable {
    @Mixin private ApiOptions api;

    @Parameters(index = "0", paramLabel = "A", description = "A region.")
    private String a;

    @Parameters(index = "1", paramLabel = "B", description = "Another region.")
    private String b;

    @Parameters(
        index = "2",
        paramLabel = "RATE",
        converter = UnitConverters.OfRate.class,
        description = "As in 10MB/s, or 'unlimited'.")
    private long bytesPerSecond;

    @Override
    public void run() {
      ApiClient client = api.client();
      ObjectNode body = pair(client, a, b);
      if (bytesPerSecond == Long.MAX_VALUE) {
        body.putNull("bytes_per_s");
      } else {
        body.put("bytes_per_s", bytesPerSecond);
      }
      show(api, client.post("/api/v1/wan/rate", body));
    }
  }
}
