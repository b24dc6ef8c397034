package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowStream.Group;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Consumer groups. Redis shows {@code XREADGROUP} and {@code XAUTOCLAIM} as an {@code XCLAIM} of
 * each entry, or as {@code XGROUP SETID} where nothing is to be acknowledged.
 *
 * <p>Others are told that a group is there and up to which id it has acknowledged everything.
 * Consumers and what is pending for them stay here.
 */
final class GroupCommands {
  private static final Set<String> CLAIM_OPTIONS =
      Set.of("IDLE", "TIME", "RETRYCOUNT", "FORCE", "JUSTID", "LASTID");

  private GroupCommands() {}

  static void register(CommandTable table) {
    table.addOfKeys("XGROUP", GroupCommands::group);
    table.add("XACK", GroupCommands::acknowledge);
    table.add("XCLAIM", GroupCommands::claim);
  }

  private static void group(CommandContext context, byte[][] argv) {
    if (argv.length < 4 || context.takesReserved(argv[2])) {
      return;
    }
    ShadowKey key = context.key(argv[2]);
    if (key.isUnresolved()) {
      return;
    }
    ShadowStream stream = new ShadowStream(key);
    Bytes name = Bytes.wrap(argv[3]);
    switch (CommandTable.upperCase(argv[1])) {
      case "CREATE" -> {
        stream.create();
        put(context, key, name, position(stream, argv[4]), false);
      }
      case "SETID" -> set(context, key, name, position(stream, argv[4]));
      case "DESTROY" -> {
        if (stream.group(name) != null) {
          destroy(context, key, name);
        }
      }
      case "DELCONSUMER" -> {
        stream.removeConsumer(name, Bytes.wrap(argv[4]));
        advance(context, key, name, null);
      }
      default -> {} // CREATECONSUMER: consumers stay here
    }
  }

  private static StreamId position(ShadowStream stream, byte[] id) {
    return id.length == 1 && id[0] == '$' ? stream.last() : StreamTypeCommands.requireId(id);
  }

  private static void put(
      CommandContext context, ShadowKey key, Bytes name, StreamId id, boolean onPurpose) {
    new ShadowStream(key).group(name, new Group(id, id));
    context.emit(
        key.redisKey(),
        new Change.StreamPut(StreamElements.group(name), StreamElements.groupValue(id, onPurpose)));
  }

  private static void set(CommandContext context, ShadowKey key, Bytes name, StreamId id) {
    ShadowStream stream = new ShadowStream(key);
    Group group = stream.group(name);
    if (group == null || id.compareTo(group.delivered()) < 0) {
      put(context, key, name, id, true);
      return;
    }
    stream.group(name, new Group(id, group.acknowledged()));
    advance(context, key, name, null);
  }

  private static void destroy(CommandContext context, ShadowKey key, Bytes name) {
    ShadowStream stream = new ShadowStream(key);
    if (stream.entries() == 0 && stream.groups().size() == 1) {
      StreamTypeCommands.keep(context, key);
    }
    stream.removeGroup(name);
    context.emit(key.redisKey(), new Change.StreamRemove(StreamElements.group(name)));
  }

  private static void acknowledge(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    ShadowStream stream = new ShadowStream(key);
    Bytes name = Bytes.wrap(argv[2]);
    Group group = stream.group(name);
    if (group == null) {
      return;
    }
    for (int i = 3; i < argv.length; i++) {
      stream.settle(name, StreamTypeCommands.requireId(argv[i]));
    }
    advance(context, key, name, argv);
  }

  /**
   * Tells the others if the group has acknowledged further now: up to what was last delivered if
   * nothing is pending, else up to the last entry below the first that is.
   *
   * @param argv of the {@code XACK}, for entries deleted since; null for another command
   */
  private static void advance(
      CommandContext context, ShadowKey key, Bytes name, byte @Nullable [][] argv) {
    ShadowStream stream = new ShadowStream(key);
    Group group = stream.group(name);
    if (group == null) {
      return;
    }
    StreamId pending = stream.firstPending(name, group.acknowledged());
    StreamId reached = group.delivered();
    if (pending != null) {
      StreamId below = stream.below(pending);
      reached = below == null ? StreamId.MIN : below;
      for (int i = 3; argv != null && i < argv.length; i++) {
        StreamId id = StreamTypeCommands.requireId(argv[i]);
        if (id.compareTo(pending) < 0 && id.compareTo(reached) > 0) {
          reached = id;
        }
      }
    }
    if (reached.compareTo(group.delivered()) > 0) {
      reached = group.delivered();
    }
    if (reached.compareTo(group.acknowledged()) > 0) {
      stream.group(name, new Group(group.delivered(), reached));
      context.emit(
          key.redisKey(),
          new Change.StreamPut(
              StreamElements.group(name), StreamElements.groupValue(reached, false)));
    }
  }

  private static void claim(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    ShadowStream stream = new ShadowStream(key);
    Bytes name = Bytes.wrap(argv[2]);
    Group group = stream.group(name);
    if (group == null) {
      return;
    }
    int options = 5;
    while (options < argv.length
        && !CLAIM_OPTIONS.contains(CommandTable.upperCase(argv[options]))) {
      options++;
    }
    boolean force = false;
    StreamId delivered = group.delivered();
    for (int i = options; i < argv.length; i++) {
      String option = CommandTable.upperCase(argv[i]);
      force |= option.equals("FORCE");
      if (option.equals("LASTID")) {
        StreamId last = StreamTypeCommands.requireId(argv[i + 1]);
        delivered = last.compareTo(delivered) > 0 ? last : delivered;
      }
    }
    if (!delivered.equals(group.delivered())) {
      stream.group(name, new Group(delivered, group.acknowledged()));
    }
    for (int i = 5; i < options; i++) {
      StreamId id = StreamTypeCommands.requireId(argv[i]);
      if (!stream.has(id) && key.exact()) {
        stream.settle(name, id); // 7.0 forgets what is no longer there; 6.2 might as well
      } else if (force || stream.consumer(name, id) != null) {
        stream.pend(name, id, Bytes.wrap(argv[3]));
      }
    }
  }
}
