package io.crosstide.capture.command;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;

/** {@code PUBLISH} and {@code SPUBLISH}: they change nothing, and are heard in every region. */
final class MessageCommands {
  private MessageCommands() {}

  static void register(CommandTable table) {
    table.addOfKeys("PUBLISH", (context, argv) -> publish(context, argv, false));
    table.addOfKeys("SPUBLISH", (context, argv) -> publish(context, argv, true));
  }

  private static void publish(CommandContext context, byte[][] argv, boolean sharded) {
    if (context.config().messages()) {
      // A channel belongs to no database.
      context.emit(
          new RedisKey(0, Bytes.wrap(argv[1])), new Change.Publish(Bytes.wrap(argv[2]), sharded));
    } else {
      context.local();
    }
  }
}
