package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import org.jspecify.annotations.Nullable;

/**
 * Contents that the stream shows because they were asked for, as {@link ContentScript} writes them.
 * Of a key that is unresolved at that place they are published as what a client would have had to
 * write, and are what is known of it from then on; of others they say nothing new.
 */
final class ArrivingContent {
  private final AwaitedContents awaited;

  /** The key whose content is being read; null if none is, or if it is not wanted. */
  private @Nullable Bytes name;

  private int db;
  private ShadowType type = ShadowType.OPAQUE;
  private long deadlineMillis;

  ArrivingContent(AwaitedContents awaited) {
    this.awaited = awaited;
  }

  /** A command on one of the script's keys. */
  void command(CommandContext context, String command, byte[][] argv) {
    String reserved = Numbers.ascii(argv[1]);
    if (command.equals("SET") && reserved.equals(ContentScript.VALUE)) {
      value(context, argv[2]);
    } else if (command.equals("HSET") && reserved.equals(ContentScript.ELEMENTS)) {
      elements(context, argv);
    } else if (command.equals("HSET") && argv.length == 8) {
      begin(context, argv);
    } else if (command.equals("HSET") && argv.length == 4) {
      end(context);
    }
  }

  private void begin(CommandContext context, byte[][] argv) {
    endUnit(context);
    ShadowKey key = context.key(argv[3]);
    awaited.arrived(key.redisKey());
    if (!key.isUnresolved()) {
      return;
    }
    long actual = Numbers.requireInteger(argv[7]);
    // What the stream said of the deadline is exact; what 6.2 says of it here is not.
    deadlineMillis = actual == 0 || key.deadlineMillis() == 0 ? actual : key.deadlineMillis();
    String kind = Numbers.ascii(argv[5]);
    switch (kind) {
      case "string" -> expect(key, ShadowType.STRING);
      case "hash" -> replace(context, key, ShadowType.HASH);
      case "set" -> replace(context, key, ShadowType.SET);
      case "zset" -> replace(context, key, ShadowType.ZSET);
      case "list" -> replace(context, key, ShadowType.LIST);
      case "none" -> {
        key.delete();
        context.emit(key.redisKey(), new Change.KeyDelete());
      }
      case ContentScript.TOO_LONG -> {
        key.markUnknown(ShadowType.STRING);
        key.deadline(deadlineMillis);
        context.unsupported(
            "a string over " + context.config().eventBytesMax() + " bytes",
            "a longer value is not replicated, however it came to be");
      }
      default -> {
        key.markOpaque();
        key.deadline(deadlineMillis);
        context.emit(key.redisKey(), new Change.KeyDelete());
        context.unsupported(
            "a " + kind + " that was renamed, copied, restored or stored",
            "keys of this type are not replicated under another name");
      }
    }
  }

  private void replace(CommandContext context, ShadowKey key, ShadowType wanted) {
    expect(key, wanted);
    key.delete();
    context.emit(key.redisKey(), new Change.KeyDelete());
  }

  private void expect(ShadowKey key, ShadowType wanted) {
    name = key.name();
    db = key.db();
    type = wanted;
  }

  private void value(CommandContext context, byte[] value) {
    Bytes of = name;
    if (of == null || type != ShadowType.STRING) {
      return;
    }
    ShadowKey key = context.shadow().key(db, of);
    key.setStringForParts(Bytes.wrap(value));
    key.deadline(deadlineMillis);
    context.emit(key.redisKey(), new Change.StringSet(Bytes.wrap(value), deadlineMillis, false));
  }

  private void elements(CommandContext context, byte[][] argv) {
    Bytes of = name;
    if (of == null) {
      return;
    }
    ShadowKey key = context.shadow().key(db, of);
    for (int i = 2; i + 1 < argv.length; i += 2) {
      Bytes element = Bytes.wrap(argv[i]);
      Bytes value = Bytes.wrap(argv[i + 1]);
      switch (type) {
        case HASH -> {
          key.putField(element, value);
          context.emit(key.redisKey(), new Change.HashPut(element, value));
        }
        case SET -> {
          if (key.addMember(element)) {
            context.emit(key.redisKey(), new Change.SetAdd(element));
          }
        }
        case ZSET -> {
          double score = Content.parseScore(Numbers.ascii(argv[i + 1]));
          key.putScore(element, score);
          context.emit(key.redisKey(), new Change.ZsetPut(element, score));
        }
        case LIST -> {
          if (!ListCommands.append(context, key, value)) {
            name = null;
            return;
          }
        }
        default -> throw new IllegalStateException("a key of type " + type + " has no elements");
      }
    }
  }

  private void end(CommandContext context) {
    Bytes of = name;
    if (of != null && type != ShadowType.STRING && deadlineMillis != 0) {
      ShadowKey key = context.shadow().key(db, of);
      key.deadline(deadlineMillis);
      context.emit(key.redisKey(), new Change.DeadlineSet(deadlineMillis));
    }
    name = null;
  }

  /** Whatever has not come to its end by the end of its unit, somebody has interfered with. */
  void endUnit(CommandContext context) {
    Bytes of = name;
    if (of != null) {
      name = null;
      context.leaveUnresolved(context.shadow().key(db, of));
    }
  }
}
