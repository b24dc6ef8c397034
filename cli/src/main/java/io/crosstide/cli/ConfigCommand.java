package io.crosstide.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.config.ConfigFile;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Problem;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Work on configuration files. */
@Command(
    name = "config",
    description = "Check a crosstide.yaml.",
    mixinStandardHelpOptions = true,
    subcommands = ConfigCommand.Check.class)
public final class ConfigCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Say what to do: config check FILE.");
  }

  /**
   * Reads a configuration for a command that needs one.
   *
   * @throws CliException with every problem, if it cannot be used
   */
  public static CrosstideConfig load(Path file, PrintWriter err) {
    ConfigFile read = read(file);
    read.problems().forEach(err::println);
    err.flush();
    CrosstideConfig config = read.config();
    if (config == null) {
      throw new CliException(
          file + " cannot be used; every setting is in docs/reference/config.md");
    }
    return config;
  }

  private static ConfigFile read(Path file) {
    try {
      return ConfigFile.read(file);
    } catch (NoSuchFileException e) {
      throw new CliException(file + " does not exist; crosstide.example.yaml is a start", e);
    } catch (IOException e) {
      throw new CliException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Explains every mistake of a file. */
  @Command(
      name = "check",
      description = "Explain every mistake in a crosstide.yaml, with file and line.",
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {
        "  crosstide config check crosstide.yaml",
        "",
        "Exit status: 0 usable (perhaps with warnings), 1 not usable.",
      })
  static final class Check implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file;

    @Option(
        names = {"-o", "--output"},
        paramLabel = "table|json",
        defaultValue = "table",
        description = "For people or for programs (default: ${DEFAULT-VALUE}).")
    private OutputFormat output;

    @Override
    public Integer call() {
      ConfigFile read = read(file);
      PrintWriter out = spec.commandLine().getOut();
      if (output == OutputFormat.JSON) {
        out.println(json(read).toPrettyString());
      } else {
        read.problems().forEach(out::println);
        long errors = read.problems().stream().filter(Problem::isError).count();
        long warnings = read.problems().size() - errors;
        spec.commandLine()
            .getErr()
            .println(
                file
                    + ": "
                    + (errors == 0 ? "usable" : counted(errors, "error"))
                    + (warnings == 0 ? "" : ", " + counted(warnings, "warning")));
        spec.commandLine().getErr().flush();
      }
      out.flush();
      return read.config() == null ? ExitCodes.FAILURE : ExitCodes.OK;
    }

    private static String counted(long count, String what) {
      return count + " " + what + (count == 1 ? "" : "s");
    }

    private static ObjectNode json(ConfigFile read) {
      ObjectNode out = new ObjectMapper().createObjectNode();
      out.put("usable", read.config() != null);
      ArrayNode problems = out.putArray("problems");
      for (Problem problem : read.problems()) {
        problems
            .addObject()
            .put("severity", problem.severity().name().toLowerCase(Locale.ROOT))
            .put("file", problem.place().file())
            .put("line", problem.place().line())
            .put("column", problem.place().column())
            .put("message", problem.message());
      }
      return out;
    }
  }
}
