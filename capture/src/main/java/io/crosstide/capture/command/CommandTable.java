package io.crosstide.capture.command;

import io.crosstide.crdt.Bytes;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All commands that the interpreter knows, by name. Each group of handlers registers its own.
 *
 * <p>Names are looked up in the case the stream has them, which is the writer's: upper and lower
 * case at the cost of one look-up.
 */
final class CommandTable {
  private final Map<Bytes, Command> byName = new HashMap<>();

  /**
   * @param ownsReserved the handler looks at each of its keys itself whether it is reserved; for
   *     others the first argument, if reserved, is dealt with before the handler
   * @param changesParts the handler is not called for a key whose content is awaited in the stream
   */
  record Command(String name, CommandHandler handler, boolean ownsReserved, boolean changesParts) {
    boolean isWrite() {
      return !name.equals("SELECT");
    }
  }

  /** The table of everything. */
  static CommandTable complete() {
    CommandTable table = new CommandTable();
    StringCommands.register(table);
    StringParts.register(table);
    Bitfield.register(table);
    HashCommands.register(table);
    SetCommands.register(table);
    ZsetCommands.register(table);
    ListCommands.register(table);
    StreamTypeCommands.register(table);
    GroupCommands.register(table);
    KeyCommands.register(table);
    SetAlgebra.register(table);
    RangeStore.register(table);
    StoringCommands.register(table);
    MessageCommands.register(table);
    UnsupportedWrites.register(table);
    LocalCommands.register(table);
    return table;
  }

  /** Registers a command that changes part of its only key, which is its first argument. */
  void add(String name, CommandHandler handler) {
    add(new Command(name, handler, false, true));
  }

  /**
   * Registers a command whose only key is its first argument, and which replaces all of its content
   * or concerns its deadline alone: it means the same whatever the content was.
   */
  void addWhole(String name, CommandHandler handler) {
    add(new Command(name, handler, false, false));
  }

  /** Registers a command with several keys, none, or one elsewhere. */
  void addOfKeys(String name, CommandHandler handler) {
    add(new Command(name, handler, true, false));
  }

  private void add(Command command) {
    Command before = byName.put(Bytes.utf8(command.name()), command);
    if (before != null) {
      throw new IllegalStateException(command.name() + " is registered twice");
    }
    byName.put(Bytes.utf8(command.name().toLowerCase(Locale.ROOT)), command);
  }

  @Nullable Command find(byte[] name) {
    Command command = byName.get(Bytes.wrap(name));
    if (command == null) {
      command = byName.get(Bytes.utf8(upperCase(name)));
    }
    return command;
  }

  static String upperCase(byte[] name) {
    return Numbers.ascii(name).toUpperCase(Locale.ROOT);
  }
}
