package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;

/**
 * Write commands that are recognised but not replicated yet: each is counted under its name, and
 * the shadow forgets what it can no longer know of the keys concerned.
 */
final class UnsupportedWrites {
  private static final String CLAIMS =
      "Redis is expected to replicate this command as XCLAIM; the group may be behind elsewhere";

  private UnsupportedWrites() {}

  static void register(CommandTable table) {
    touches(table, "XAUTOCLAIM", ShadowType.STREAM, CLAIMS, 1);
    table.addOfKeys("EVAL", UnsupportedWrites::script);
    table.addOfKeys("EVALSHA", UnsupportedWrites::script);
    table.addOfKeys("FCALL", UnsupportedWrites::script);
  }

  /** A command that changes something in keys, at these arguments, which keep their deadline. */
  private static void touches(
      CommandTable table, String name, ShadowType type, String consequence, int... keys) {
    table.addOfKeys(
        name,
        (context, argv) -> {
          context.unsupported(consequence);
          for (int at : keys) {
            if (at < argv.length && !context.takesReserved(argv[at])) {
              ShadowKey key = context.key(argv[at]);
              if (!key.isUnresolved()) {
                key.markUnknown(type);
              }
            }
          }
        });
  }

  /** Only a Redis told not to replicate effects shows scripts; what they did is unknown. */
  private static void script(CommandContext context, byte[][] argv) {
    context.unsupported(
        "of a script replicated as such only the keys it names are read back: set"
            + " lua-replicate-commands to yes");
    long keys = argv.length > 2 ? Numbers.requireInteger(argv[2]) : 0;
    for (int i = 3; i < 3 + keys && i < argv.length; i++) {
      if (!context.takesReserved(argv[i])) {
        context.leaveUnresolved(context.key(argv[i]));
      }
    }
  }
}
