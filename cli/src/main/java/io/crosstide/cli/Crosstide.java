package io.crosstide.cli;

import io.crosstide.cli.bench.BenchCommand;
import io.crosstide.cli.sandbox.SandboxCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The root command; shows what there is. */
@Command(
    name = "crosstide",
    description = "Active-active geo-replication for ordinary Redis over Kafka.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {
      SandboxCommand.class,
      WanCommand.class,
      StatsCommand.class,
      ExplainCommand.class,
      VerifyCommand.class,
      BenchCommand.class,
      RunCommand.class,
      ConfigCommand.class,
      HelpCommand.class
    },
    footerHeading = "%nFirst steps:%n",
    footer = {
      "  crosstide sandbox                    three regions on this machine",
      "  redis-cli -p 7101 set greeting hi    write in one region (in a second terminal)",
      "  redis-cli -p 7102 get greeting       and read it in another",
      "  crosstide verify                     are all regions the same?",
      "",
      "Exit status: 0 done, 1 failed (or could not tell), 2 called wrongly, 3 regions differ.",
    })
public final class Crosstide implements Runnable {
  @Spec private CommandSpec spec;

  /** Runs the command and ends the JVM with its exit status. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /** The command, ready to execute; for {@link #main} and for tests. */
  public static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Crosstide());
    commandLine.setParameterExceptionHandler(Crosstide::onUsageError);
    commandLine.setExecutionExceptionHandler(Crosstide::onFailure);
    commandLine.setUsageHelpWidth(100);
    commandLine.setUsageHelpLongOptionsMaxWidth(30);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    return commandLine;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Say what to do.");
  }

  private static int onUsageError(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command.getErr().println("crosstide: " + e.getMessage());
    command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    command.getErr().flush();
    return ExitCodes.USAGE;
  }

  private static int onFailure(
      Exception e, CommandLine command, CommandLine.ParseResult parseResult) {
    if (e instanceof CliException) {
      command.getErr().println("crosstide: " + e.getMessage());
    } else {
      command.getErr().println("crosstide: unexpected failure, please report it:");
      e.printStackTrace(command.getErr());
    }
    command.getErr().flush();
    return ExitCodes.FAILURE;
  }
}
