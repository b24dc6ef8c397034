package io.crosstide.cli.api;

import io.crosstide.cli.OutputFormat;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options and outputs of every command that speaks to a running sandbox or deployment. */
public final class ApiOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--http",
      paramLabel = "URL",
      defaultValue = "http://127.0.0.1:8180",
      description = "Which sandbox or deployment to speak to (default: ${DEFAULT-VALUE}).")
  private String http;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "table|json",
      defaultValue = "table",
      description = "For people or for programs (default: ${DEFAULT-VALUE}).")
  private OutputFormat output;

  public ApiClient client() {
    URI address = address();
    if (address == null) {
      throw new ParameterException(
          spec.commandLine(),
          "--http must be an address like http://127.0.0.1:8180, not '" + http + "'");
    }
    return new ApiClient(address);
  }

  private @Nullable URI address() {
    try {
      URI address = new URI(http);
      return address.getHost() == null || !"http".equals(address.getScheme()) ? null : address;
    } catch (URISyntaxException e) {
      return null;
    }
  }

  public boolean isJson() {
    return output == OutputFormat.JSON;
  }

  /** Data. */
  public PrintWriter out() {
    return spec.commandLine().getOut();
  }

  /** Talk. */
  public PrintWriter err() {
    return spec.commandLine().getErr();
  }
}
