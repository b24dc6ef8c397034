package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import java.util.function.Function;

/** Removal of named elements, the same for hashes, sets and sorted sets. */
final class Removal {
  private Removal() {}

  /** {@code argv} is the command's name, its key, and the elements to remove. */
  static void run(CommandContext context, byte[][] argv, Function<Bytes, Change> change) {
    ShadowKey key = context.key(argv[1]);
    long deadline = key.deadlineMillis();
    for (int i = 2; i < argv.length; i++) {
      one(context, key, Bytes.wrap(argv[i]), change);
    }
    context.afterRemoval(key, deadline);
  }

  /** Removes one element if it is, or may be, there. */
  static void one(
      CommandContext context, ShadowKey key, Bytes name, Function<Bytes, Change> change) {
    boolean certain = key.exact();
    if (key.remove(name) || !certain) {
      context.emit(key.redisKey(), change.apply(name));
    }
  }
}
