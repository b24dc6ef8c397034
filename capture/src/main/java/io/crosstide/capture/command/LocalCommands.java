package io.crosstide.capture.command;

/**
 * Commands of the stream that need not reach other regions. {@code SELECT}, {@code MULTI} and
 * {@code EXEC} are the interpreter's own.
 */
final class LocalCommands {
  private LocalCommands() {}

  static void register(CommandTable table) {
    table.addOfKeys(
        "SELECT", (context, argv) -> context.select((int) Numbers.requireInteger(argv[1])));
    table.addOfKeys("PING", LocalCommands::nothing);
    table.addOfKeys("REPLCONF", LocalCommands::nothing);
    table.addOfKeys("SCRIPT", LocalCommands::count);
    table.addOfKeys("FUNCTION", LocalCommands::count);
  }

  private static void nothing(CommandContext context, byte[][] argv) {}

  private static void count(CommandContext context, byte[][] argv) {
    context.local();
  }
}
