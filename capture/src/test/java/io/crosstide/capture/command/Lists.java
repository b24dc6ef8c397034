package io.crosstide.capture.command;

import static java.util.Objects.requireNonNull;

import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Lists in a stream written by hand: what shadow and events make of them, and effects on them. */
final class Lists {
  private final Stream stream;
  private long effects;

  Lists(Stream stream) {
    this.stream = stream;
  }

  /** The values in the shadow's order. */
  List<String> inShadow(String key) {
    List<String> values = new ArrayList<>();
    try (ShadowList.Walk walk = list(key).walk(false)) {
      for (ShadowList.Entry entry = walk.next(); entry != null; entry = walk.next()) {
        values.add(text(entry.content()));
      }
    }
    return values;
  }

  /** The values in the order of the positions that events gave them. */
  List<String> inEvents(String key) {
    Map<Bytes, String> elements = new TreeMap<>();
    RedisKey name = RedisKey.of(0, key);
    for (ChangeEvent event : stream.events) {
      if (name.equals(event.key())) {
        if (event.change() instanceof Change.ListPut put) {
          elements.put(put.name(), put.value().text());
        } else if (event.change() instanceof Change.ListRemove remove) {
          requireNonNull(elements.remove(remove.name()), "not there: " + remove);
        } else if (event.change() instanceof Change.KeyDelete) {
          elements.clear();
        }
      }
    }
    return List.copyOf(elements.values());
  }

  ShadowList list(String key) {
    return stream.shadow.key(0, Bytes.utf8(key)).list();
  }

  Bytes position(String key, long index) {
    return requireNonNull(list(key).at(index)).position();
  }

  static String text(Content content) {
    Bytes value = content.value();
    return value == null ? "sha1" : value.text();
  }

  /** Begins an effect batch; ended by {@code EXEC}. */
  Lists batch() {
    stream.run("MULTI");
    stream.run("HSET " + "__ct:{0}" + " e 1 f 1:" + ++effects + " c 2=" + effects + " k 0");
    return this;
  }

  /** What the Lua function writes before the commands of one effect. */
  Lists told(char op, String key, long index, Bytes position) {
    stream.run(latin("HSET"), latin("__ct:{0}"), latin("l"), payload(op, 0, key, index, position));
    return this;
  }

  static byte[] payload(char op, int db, String key, long index, Bytes position) {
    byte[] head = latin(op + " " + db + " " + index + " " + key.length() + " " + key);
    byte[] payload = new byte[head.length + position.length()];
    System.arraycopy(head, 0, payload, 0, head.length);
    System.arraycopy(position.array(), 0, payload, head.length, position.length());
    return payload;
  }

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  Lists run(String... commands) {
    for (String command : commands) {
      stream.run(command);
    }
    return this;
  }

  /** Ends the batch and gives what was reported of it. */
  List<Change.ListHolds> exec() {
    int before = stream.events.size();
    stream.run("EXEC");
    List<Change.ListHolds> reports = new ArrayList<>();
    for (ChangeEvent event : stream.events.subList(before, stream.events.size())) {
      reports.add((Change.ListHolds) event.change());
    }
    return reports;
  }
}
