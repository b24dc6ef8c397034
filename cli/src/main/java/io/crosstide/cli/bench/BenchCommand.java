package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.CliException;
import io.crosstide.cli.ConfigCommand;
import io.crosstide.cli.Table;
import io.crosstide.cli.api.ApiOptions;
import io.crosstide.cli.bench.Target.TargetRegion;
import io.crosstide.control.config.Secret;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Puts load on a running sandbox or deployment and measures it. */
@Command(
    name = "bench",
    description = {
      "Write into one or all regions with a real client and measure throughput, how soon writes"
          + " are visible elsewhere, and what they cost."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  crosstide bench --rate 5000 --from us-east             latency at a steady rate",
      "  crosstide bench --rate max --seconds 60 --from us-east throughput",
      "  crosstide bench --mix set,incr --baseline replica      beside plain Redis replication",
      "",
      "lag         from a write's sending to its being read elsewhere, the link's delay taken off",
      "change      one write, in all regions; its CPU is that of all Crosstide processes and all",
      "            Redis servers together, not of this load generator",
      "wan bytes   per change and receiving region",
      "",
      "A JVM is some ten times slower when cold: warm up for 60 s before believing latencies.",
      "Keys are named bench:*. Stop with Ctrl-C.",
    })
public final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ApiOptions api;

  @Option(
      names = "--rate",
      paramLabel = "N|max",
      defaultValue = "5000",
      description =
          "Writes per second in all regions together, or as fast as it goes (default:"
              + " ${DEFAULT-VALUE}).")
  private String rate;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "30",
      description = "How long to measure (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = "--warmup",
      paramLabel = "S",
      defaultValue = "60",
      description = "Seconds of the same load before measuring (default: ${DEFAULT-VALUE}).")
  private int warmup;

  @Option(
      names = "--mix",
      paramLabel = "COMMAND",
      split = ",",
      defaultValue = "set",
      description =
          "Commands to write with, drawn evenly: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private List<CommandKind> mix;

  @Option(
      names = "--keys",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Keys of each kind (default: ${DEFAULT-VALUE}).")
  private int keys;

  @Option(
      names = "--value-bytes",
      paramLabel = "N",
      defaultValue = "200",
      description = "Size of strings and fields (default: ${DEFAULT-VALUE}).")
  private int valueBytes;

  @Option(
      names = "--from",
      paramLabel = "REGION",
      split = ",",
      description = "Where to write (default: in all regions).")
  private @Nullable List<String> from;

  @Option(
      names = "--baseline",
      paramLabel = "replica",
      description = "Measure a plain primary with a plain replica under the same load, too.")
  private @Nullable String baseline;

  @Option(
      names = "--redis-server",
      paramLabel = "PATH",
      description = "Program for the baseline (default: from PATH, else the embedded one).")
  private @Nullable Path redisServer;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "The deployment's crosstide.yaml, for how to log in to its Redis servers and whom to"
              + " trust.")
  private @Nullable Path config;

  @Option(
      names = "--redis-user",
      paramLabel = "NAME",
      description =
          "Who writes, if not the user of --config, who may not have the right to: with"
              + " --redis-password-file.")
  private @Nullable String redisUser;

  @Option(
      names = "--redis-password-file",
      paramLabel = "FILE",
      description = "Holds the password, the same for all regions.")
  private @Nullable Path redisPasswordFile;

  @Override
  public Integer call() throws InterruptedException {
    Load load = load();
    ObjectMapper json = new ObjectMapper();
    Target target = Target.of(api.client());
    BenchRun run = new BenchRun(target, sources(target), logins(), load, json, this::progress);
    ObjectNode result = run.run();
    if (baseline != null) {
      result.set("baseline", new Baseline(load, redisServer, json, this::progress).run());
    }
    PrintWriter out = api.out();
    if (api.isJson()) {
      out.println(result.toPrettyString());
    } else {
      show(result, out);
    }
    out.flush();
    return 0;
  }

  private Logins logins() {
    require(
        redisUser == null || redisPasswordFile != null, "--redis-user needs --redis-password-file");
    Path password = redisPasswordFile;
    Path deployment = config;
    try {
      return new Logins(
          deployment == null ? null : ConfigCommand.load(deployment, api.err()),
          redisUser,
          password == null ? null : new Secret(Files.readString(password).stripTrailing()));
    } catch (IOException e) {
      throw new CliException(password + " cannot be read: " + e.getMessage(), e);
    }
  }

  private Load load() {
    require(seconds > 0, "--seconds must be above 0");
    require(warmup >= 0, "--warmup must not be negative");
    require(keys > 0, "--keys must be above 0");
    require(valueBytes >= 16 && valueBytes <= 1 << 20, "--value-bytes must be 16 to 1048576");
    require(baseline == null || baseline.equals("replica"), "--baseline knows only 'replica'");
    long perSecond = Load.MAX;
    if (!rate.equals("max")) {
      require(rate.matches("[1-9][0-9]{0,8}"), "--rate must be a number above 0, or 'max'");
      perSecond = Long.parseLong(rate);
    }
    return new Load(
        perSecond, Duration.ofSeconds(warmup), Duration.ofSeconds(seconds), mix, keys, valueBytes);
  }

  private List<TargetRegion> sources(Target target) {
    List<String> wanted = from;
    if (wanted == null) {
      return target.regions();
    }
    List<String> known = target.regions().stream().map(TargetRegion::name).toList();
    wanted.forEach(
        name ->
            require(
                known.contains(name),
                "there is no region '" + name + "'; known: " + String.join(", ", known)));
    return target.regions().stream().filter(region -> wanted.contains(region.name())).toList();
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new ParameterException(spec.commandLine(), otherwise);
    }
  }

  private void progress(String sentence) {
    api.err().println(sentence);
    api.err().flush();
  }

  private static void show(ObjectNode result, PrintWriter out) {
    out.println("writes/s                " + result.path("writes_per_s").asText());
    Table table = new Table("region", "applied/s", "lag p50 ms", "p99 ms", "max ms", "samples");
    for (Map.Entry<String, JsonNode> region : result.path("regions").properties()) {
      JsonNode lag = region.getValue().path("lag_ms");
      table.row(
          region.getKey(),
          region.getValue().path("applied_per_s").asText(),
          shown(lag.path("p50")),
          shown(lag.path("p99")),
          shown(lag.path("max")),
          lag.path("samples").asLong());
    }
    table.print(out);
    showWaits(result, out);
    out.println("Redis CPU per write     " + micros(result, "redis_cpu_us_per_write"));
    out.println("Redis CPU per applied   " + micros(result, "redis_cpu_us_per_applied_change"));
    out.println("CPU per change          " + micros(result, "cpu_us_per_change"));
    for (Map.Entry<String, JsonNode> stage :
        result.path("cpu_us_per_change_by_stage").properties()) {
      out.printf("  %-22s%s µs%n", stage.getKey(), stage.getValue().asText());
    }
    out.println("WAN bytes per change    " + result.path("wan_bytes_per_change").asText());
    out.println("drained after           " + shown(result.path("drained_after_s")) + " s");
    for (Map.Entry<String, JsonNode> region : result.path("sustained_applied_per_s").properties()) {
      out.printf(
          "  %-22s%s applied/s, the draining included%n",
          region.getKey(), region.getValue().asText());
    }
    JsonNode plain = result.path("baseline");
    if (!plain.isMissingNode()) {
      out.println("plain Redis with a replica, same load:");
      out.println("  writes/s              " + plain.path("writes_per_s").asText());
      out.println("  Redis CPU per write   " + micros(plain, "redis_cpu_us_per_write"));
      out.println(
          "  lag p50, p99 ms       "
              + shown(plain.path("lag_ms").path("p50"))
              + ", "
              + shown(plain.path("lag_ms").path("p99")));
    }
  }

  private static void showWaits(ObjectNode result, PrintWriter out) {
    Table table = new Table("region", "WAIT 1 p50 ms", "p99 ms", "max ms", "samples", "withheld");
    for (Map.Entry<String, JsonNode> region : result.path("regions").properties()) {
      JsonNode wait = region.getValue().path("wait_ms");
      if (!wait.isMissingNode()) {
        table.row(
            region.getKey(),
            shown(wait.path("p50")),
            shown(wait.path("p99")),
            shown(wait.path("max")),
            wait.path("samples").asLong(),
            wait.path("withheld").asLong());
      }
    }
    table.print(out);
  }

  private static String shown(JsonNode number) {
    return number.isNull() || number.isMissingNode() ? "-" : number.asText();
  }

  private static String micros(JsonNode of, String field) {
    return of.path(field).asText() + " µs";
  }
}
