package io.crosstide.simulation;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.MarkerState;
import io.crosstide.simulation.ReplicationStream.Command;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The commands that a Redis puts into its replication stream for what it executed. */
final class Resp {
  /** The only partition's marker. */
  static final String MARKER = MarkerState.key(0);

  private Resp() {}

  static Command of(int db, Object... words) {
    List<byte[]> argv = new ArrayList<>(words.length);
    for (Object word : words) {
      argv.add(
          word instanceof Bytes bytes
              ? bytes.array()
              : word.toString().getBytes(StandardCharsets.UTF_8));
    }
    return new Command(db, argv);
  }

  /** A client's change, or an expiry; null for what goes without saying. */
  static @Nullable Command of(SimRedis.KeyChange keyChange) {
    int db = keyChange.key().db();
    Bytes key = keyChange.key().name();
    Change change = keyChange.change();
    List<Object> words = keyChange.words();
    if (words != null) {
      return words.isEmpty() ? null : of(db, words.toArray());
    }
    if (change instanceof Change.StringSet set) {
      return set.deadlineMillis() == 0
          ? of(db, "SET", key, set.value())
          : of(db, "SET", key, set.value(), "PXAT", set.deadlineMillis());
    } else if (change instanceof Change.StringAdd add) {
      return of(db, "INCRBY", key, add.delta().toPlainString());
    } else if (change instanceof Change.HashPut put) {
      return of(db, "HSET", key, put.name(), put.value());
    } else if (change instanceof Change.HashAdd add) {
      return of(db, "HINCRBY", key, add.name(), add.delta().toPlainString());
    } else if (change instanceof Change.HashRemove remove) {
      return of(db, "HDEL", key, remove.name());
    } else if (change instanceof Change.SetAdd add) {
      return of(db, "SADD", key, add.name());
    } else if (change instanceof Change.SetRemove remove) {
      return of(db, "SREM", key, remove.name());
    } else if (change instanceof Change.ZsetPut put) {
      return of(db, "ZADD", key, Content.formatScore(put.score()), put.name());
    } else if (change instanceof Change.ZsetAdd add) {
      return of(db, "ZINCRBY", key, Content.formatScore(delta(add)), add.name());
    } else if (change instanceof Change.ZsetRemove remove) {
      return of(db, "ZREM", key, remove.name());
    } else if (change instanceof Change.KeyDelete || change instanceof Change.KeyExpire) {
      return of(db, "DEL", key);
    } else if (change instanceof Change.DeadlineSet set) {
      return of(db, "PEXPIREAT", key, set.deadlineMillis());
    } else if (change instanceof Change.DeadlinePersist) {
      return of(db, "PERSIST", key);
    } else if (change instanceof Change.Publish publish) {
      return of(0, publish.sharded() ? "SPUBLISH" : "PUBLISH", key, publish.message());
    } else if (change instanceof Change.DeadlineRemove) {
      return null;
    }
    throw new IllegalArgumentException("no client can do " + change);
  }

  /** A number that leads from one score to the other in double arithmetic. */
  private static double delta(Change.ZsetAdd add) {
    double delta = add.to() - add.from();
    for (double d : new double[] {delta, Math.nextUp(delta), Math.nextDown(delta)}) {
      if (add.from() + d == add.to()) {
        return d;
      }
    }
    throw new IllegalArgumentException("no increment leads from " + add.from() + " to " + add.to());
  }

  /**
   * What an effect that passed wrote; null if it wrote nothing. Redis leaves out what changed
   * nothing, but for SET and HSET.
   */
  static @Nullable Command of(Effect effect, Content before, Content written) {
    Element element = effect.element();
    if (element == null || effect instanceof Effect.Check || effect instanceof Effect.Probe) {
      return null;
    }
    boolean always =
        element.kind() == ElementKind.STRING || element.kind() == ElementKind.HASH_FIELD;
    if (before.equals(written) && (written.isAbsent() || !always)) {
      return null;
    }
    int db = element.key().db();
    Bytes key = element.key().name();
    if (effect instanceof Effect.Add add) {
      return switch (element.kind()) {
        case STRING -> of(db, "INCRBY", key, add.delta());
        case HASH_FIELD -> of(db, "HINCRBY", key, element.name(), add.delta());
        default -> of(db, "ZINCRBY", key, add.delta(), element.name());
      };
    }
    Bytes value = written.value();
    if (value == null) {
      return switch (element.kind()) {
        case STRING -> of(db, "DEL", key);
        case HASH_FIELD -> of(db, "HDEL", key, element.name());
        case SET_MEMBER -> of(db, "SREM", key, element.name());
        case ZSET_MEMBER -> of(db, "ZREM", key, element.name());
        case LIST_ELEMENT, STREAM -> null;
        case DEADLINE -> of(db, "PERSIST", key);
      };
    }
    return switch (element.kind()) {
      case STRING -> of(db, "SET", key, value, "KEEPTTL");
      case HASH_FIELD -> of(db, "HSET", key, element.name(), value);
      case SET_MEMBER -> of(db, "SADD", key, element.name());
      case ZSET_MEMBER -> of(db, "ZADD", key, value, element.name());
      case LIST_ELEMENT, STREAM -> null;
      case DEADLINE -> of(db, "PEXPIREAT", key, value);
    };
  }

  /** The marker's write at the head of a batch. */
  static Command batchMarker(MarkerState before, MarkerState after, EffectBatch batch) {
    List<Object> words =
        new ArrayList<>(
            List.of(
                "HSET",
                MARKER,
                "f",
                after.fx(),
                "c",
                after.context().encode(),
                "k",
                before.exceptions().size(),
                "h",
                batch.stamp().packed()));
    if (batch.hasProbe()) {
      words.add("p");
      words.add(after.fx());
    }
    return of(0, words.toArray());
  }

  /** The exceptions' writes at a batch's end. */
  static List<Command> exceptions(MarkerState before, MarkerState after) {
    List<Object> set = new ArrayList<>(List.of("HSET", MARKER, "k", after.exceptions().size()));
    List<Object> gone = new ArrayList<>(List.of("HDEL", MARKER));
    after.exceptions().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .filter(entry -> !entry.getValue().equals(before.exceptions().get(entry.getKey())))
        .forEach(
            entry -> {
              set.add("x:" + entry.getKey());
              set.add(entry.getValue().encode());
            });
    before.exceptions().keySet().stream()
        .sorted()
        .filter(element -> !after.exceptions().containsKey(element))
        .forEach(element -> gone.add("x:" + element));
    List<Command> commands = new ArrayList<>();
    if (set.size() > 4 || gone.size() > 2) {
      commands.add(of(0, set.toArray()));
    }
    if (gone.size() > 2) {
      commands.add(of(0, gone.toArray()));
    }
    return commands;
  }

  /** A take-over's write. */
  static Command raise(MarkerState before, MarkerState raised) {
    return before.fx().number() > 0
        ? of(0, "HSET", MARKER, "e", raised.epoch(), "f", raised.fx(), "b", before.fx())
        : of(0, "HSET", MARKER, "e", raised.epoch(), "f", raised.fx());
  }

  /** An installation's writes; {@code before} is what it replaces. */
  static List<Command> install(@Nullable MarkerState before, MarkerState wanted) {
    List<Object> words = new ArrayList<>(List.of("HSET", MARKER));
    fields(wanted)
        .forEach(
            (field, value) -> {
              words.add(field);
              words.add(value);
            });
    List<Command> commands = new ArrayList<>(List.of(of(0, words.toArray())));
    List<Object> gone = new ArrayList<>(List.of("HDEL", MARKER, "t"));
    if (before != null) {
      before.exceptions().keySet().stream()
          .sorted()
          .filter(element -> !wanted.exceptions().containsKey(element))
          .forEach(element -> gone.add("x:" + element));
    }
    commands.add(of(0, gone.toArray()));
    return commands;
  }

  /** The marker as the hash that it is in Redis. */
  static Map<String, String> fields(MarkerState marker) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("e", Integer.toString(marker.epoch()));
    fields.put("f", marker.fx().toString());
    fields.put("b", marker.preceding().toString());
    fields.put("c", marker.context().encode());
    fields.put("k", Integer.toString(marker.exceptions().size()));
    marker.exceptions().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> fields.put("x:" + entry.getKey(), entry.getValue().encode()));
    return fields;
  }
}
