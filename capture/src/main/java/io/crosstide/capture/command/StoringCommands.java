package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;

/**
 * Commands whose result does not follow from what the shadow keeps, whatever it is: the key they
 * change is read back.
 */
final class StoringCommands {
  private StoringCommands() {}

  static void register(CommandTable table) {
    table.addOfKeys("GEOSEARCHSTORE", (context, argv) -> stores(context, argv[1]));
    table.addOfKeys("GEORADIUS", StoringCommands::geoRadius);
    table.addOfKeys("GEORADIUSBYMEMBER", StoringCommands::geoRadius);
    table.addOfKeys("SORT", (context, argv) -> storesAfterWord(context, argv, "STORE"));
    table.add("PFADD", StoringCommands::changes);
    table.add("PFMERGE", StoringCommands::changes);
    table.add("PFCOUNT", StoringCommands::counts);
    // Redis is expected to replicate these as their effects.
    table.add("INCRBYFLOAT", StoringCommands::changes);
    table.add("HINCRBYFLOAT", StoringCommands::changes);
    table.add("SPOP", StoringCommands::changes);
    table.add("GEOADD", StoringCommands::changes);
    table.add("BLPOP", StoringCommands::changes);
    table.add("BRPOP", StoringCommands::changes);
  }

  private static void changes(CommandContext context, byte[][] argv) {
    context.leaveUnresolved(context.key(argv[1]));
  }

  /** Only what was counted is written down, by another name the same HyperLogLog. */
  private static void counts(CommandContext context, byte[][] argv) {
    context.key(argv[1]).markUnknown(ShadowType.STRING);
  }

  private static void stores(CommandContext context, byte[] name) {
    if (!context.takesReserved(name)) {
      ShadowKey key = context.key(name);
      KeyCommands.stored(context, key, 0);
    }
  }

  private static void geoRadius(CommandContext context, byte[][] argv) {
    storesAfterWord(context, argv, "STORE");
    storesAfterWord(context, argv, "STOREDIST");
  }

  private static void storesAfterWord(CommandContext context, byte[][] argv, String word) {
    for (int i = 2; i + 1 < argv.length; i++) {
      if (CommandTable.upperCase(argv[i]).equals(word)) {
        stores(context, argv[i + 1]);
      }
    }
  }
}
