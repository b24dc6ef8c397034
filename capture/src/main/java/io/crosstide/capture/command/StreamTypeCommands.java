package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Entries of Redis streams. Redis shows the ids it gave, and trimming with {@code ~} as what it
 * came to; {@link GroupCommands} has the consumer groups.
 */
final class StreamTypeCommands {
  private StreamTypeCommands() {}

  static void register(CommandTable table) {
    table.add("XADD", StreamTypeCommands::add);
    table.add("XDEL", StreamTypeCommands::delete);
    table.add("XTRIM", (context, argv) -> trim(context, context.key(argv[1]), argv, 2));
    table.add("XSETID", StreamTypeCommands::lastId);
  }

  private static void add(CommandContext context, byte[][] argv) {
    int at = 2;
    int trimAt = 0;
    for (boolean options = true; options; ) {
      switch (CommandTable.upperCase(argv[at])) {
        case "NOMKSTREAM" -> at++;
        case "LIMIT" -> at += 2;
        case "MAXLEN", "MINID" -> {
          trimAt = at;
          at = thresholdAt(argv, at) + 1;
        }
        default -> options = false;
      }
    }
    StreamId id = requireId(argv[at]);
    List<Bytes> fieldsAndValues = new ArrayList<>(argv.length - at - 1);
    for (int i = at + 1; i < argv.length; i++) {
      fieldsAndValues.add(Bytes.wrap(argv[i]));
    }
    Bytes value = StreamElements.entryValue(fieldsAndValues);
    ShadowKey key = context.key(argv[1]);
    new ShadowStream(key).add(id, value);
    context.emit(key.redisKey(), new Change.StreamPut(StreamElements.entry(id.given()), value));
    if (trimAt > 0) {
      trim(context, key, argv, trimAt);
    }
  }

  private static int thresholdAt(byte[][] argv, int strategyAt) {
    byte[] next = argv[strategyAt + 1];
    return next.length == 1 && (next[0] == '=' || next[0] == '~') ? strategyAt + 2 : strategyAt + 1;
  }

  private static void delete(CommandContext context, byte[][] argv) {
    ShadowKey key = context.key(argv[1]);
    for (int i = 2; i < argv.length; i++) {
      remove(context, key, requireId(argv[i]));
    }
  }

  /** {@code argv[at]} is {@code MAXLEN} or {@code MINID}. */
  private static void trim(CommandContext context, ShadowKey key, byte[][] argv, int at) {
    ShadowStream stream = new ShadowStream(key);
    byte[] threshold = argv[thresholdAt(argv, at)];
    boolean byLength = CommandTable.upperCase(argv[at]).equals("MAXLEN");
    long entriesMax = byLength ? Numbers.requireInteger(threshold) : 0;
    StreamId idMin = byLength ? StreamId.MIN : requireId(threshold);
    for (StreamId first = stream.first(); first != null; first = stream.first()) {
      boolean goes = byLength ? stream.entries() > entriesMax : first.compareTo(idMin) < 0;
      if (!goes) {
        return;
      }
      remove(context, key, first);
    }
  }

  /**
   * An entry goes. Redis keeps a stream without entries: others are told so before, or they would
   * delete it with its last entry.
   */
  private static void remove(CommandContext context, ShadowKey key, StreamId id) {
    ShadowStream stream = new ShadowStream(key);
    boolean certain = key.exact();
    if (stream.entries() == 1 && stream.has(id) && !stream.hasGroups()) {
      keep(context, key);
    }
    if (stream.remove(id) || !certain) {
      StreamId given = id.given();
      List<StreamId> others = stream.shown(given);
      context.emit(
          key.redisKey(),
          new Change.StreamRemove(StreamElements.entry(given), regions(id, others)));
    }
  }

  /** Whose entry goes, of several that were given one id: see {@link Change.StreamRemove}. */
  private static Bytes regions(StreamId removed, List<StreamId> others) {
    if (others.isEmpty()) {
      return Bytes.EMPTY;
    }
    if (removed.region() != 0) {
      return Bytes.wrap(new byte[] {1, (byte) removed.region()});
    }
    byte[] stay = new byte[1 + others.size()];
    for (int i = 0; i < others.size(); i++) {
      stay[i + 1] = (byte) others.get(i).region();
    }
    return Bytes.wrap(stay);
  }

  /** Tells the others that the stream is there although it has neither entries nor groups. */
  static void keep(CommandContext context, ShadowKey key) {
    context.emit(key.redisKey(), new Change.StreamPut(StreamElements.STREAM, Bytes.EMPTY));
  }

  /** The last id concerns what this Redis numbers next, and stays here. */
  private static void lastId(CommandContext context, byte[][] argv) {
    ShadowStream stream = new ShadowStream(context.key(argv[1]));
    if (stream.exists()) {
      stream.last(requireId(argv[2]));
    }
  }

  static StreamId requireId(byte[] text) {
    String id = Numbers.ascii(text);
    @Nullable StreamId parsed = StreamId.parse(id, 0);
    if (parsed == null) {
      throw new IllegalStateException(
          "'" + id + "' stands in the stream of commands as the id of an entry, and is none");
    }
    return parsed;
  }
}
