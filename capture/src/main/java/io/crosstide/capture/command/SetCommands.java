package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;

/** Sets. Redis shows {@code SPOP} as {@code SREM}, or as {@code DEL} when it takes all. */
final class SetCommands {
  private SetCommands() {}

  static void register(CommandTable table) {
    table.add("SADD", SetCommands::add);
    table.add("SREM", (context, argv) -> Removal.run(context, argv, Change.SetRemove::new));
    table.addOfKeys("SMOVE", SetCommands::move);
  }

  private static void add(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    for (int i = 2; i < argv.length; i++) {
      addMember(context, key, Bytes.wrap(argv[i]));
    }
  }

  private static void addMember(CommandContext context, ShadowKey key, Bytes member) {
    boolean certain = key.exact();
    if (key.addMember(member) || !certain) {
      context.emit(key.redisKey(), new Change.SetAdd(member));
    }
  }

  private static void move(CommandContext context, byte[][] argv) {
    Bytes member = Bytes.wrap(argv[3]);
    if (!context.takesReserved(argv[1])) {
      ShadowKey from = context.key(argv[1]);
      long deadline = from.deadlineMillis();
      Removal.one(context, from, member, Change.SetRemove::new);
      context.afterRemoval(from, deadline);
    }
    if (!context.takesReserved(argv[2])) {
      addMember(context, context.key(argv[2]), member);
    }
  }
}
