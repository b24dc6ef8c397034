package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowStream.Group;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.List;
import java.util.Map;

/** What changes and effects of streams do to a stream of the shadow. */
final class StreamFold {
  private static final Content UNKNOWN = Content.digest(Bytes.wrap(new byte[20]));

  private StreamFold() {}

  static void apply(ShadowStream stream, Change change) {
    if (change instanceof Change.StreamPut put) {
      if (StreamElements.isEntry(put.name())) {
        stream.add(StreamElements.idOf(put.name()), put.value());
      } else if (StreamElements.isGroup(put.name())) {
        raise(stream, put.name(), StreamElements.acknowledged(put.value()));
      } else {
        stream.create();
      }
    } else if (change instanceof Change.StreamRemove remove) {
      if (StreamElements.isGroup(remove.name())) {
        stream.removeGroup(StreamElements.groupOf(remove.name()));
      } else if (StreamElements.isEntry(remove.name())) {
        removeEntries(stream, remove);
      }
    }
  }

  private static void removeEntries(ShadowStream stream, Change.StreamRemove remove) {
    for (StreamId shown : stream.shown(StreamElements.idOf(remove.name()))) {
      boolean listsThoseThatStay = remove.regions().isEmpty() || remove.regions().at(0) == 0;
      boolean goes = shown.region() == 0 ? listsThoseThatStay : remove.deletes(shown.region());
      if (goes) {
        stream.remove(shown);
      }
    }
  }

  private static void raise(ShadowStream stream, Bytes name, StreamId acknowledged) {
    Bytes group = StreamElements.groupOf(name);
    Group before = stream.group(group);
    StreamId delivered =
        before == null || before.delivered().compareTo(acknowledged) < 0
            ? acknowledged
            : before.delivered();
    stream.group(group, new Group(delivered, acknowledged));
  }

  /** What the shadow holds for an element of a stream. */
  static Content content(ShadowStream stream, Bytes name) {
    if (StreamElements.isGroup(name)) {
      return stream.group(StreamElements.groupOf(name)) == null ? Content.ABSENT : Content.PRESENT;
    } else if (!StreamElements.isEntry(name)) {
      return stream.exists() ? Content.PRESENT : Content.ABSENT;
    }
    List<StreamId> shown = stream.shown(StreamElements.idOf(name));
    if (shown.size() <= 1) {
      return shown.isEmpty() ? Content.ABSENT : stream.entry(shown.get(0));
    }
    ByteWriter all = new ByteWriter(64);
    for (StreamId id : shown) {
      Bytes value = stream.entry(id).value();
      if (value == null) {
        return UNKNOWN; // the digest of several does not follow from each one's
      }
      byte[] entry = value.array().clone();
      entry[0] = all.size() == 0 ? 0 : (byte) id.region();
      all.raw(entry);
    }
    return Content.of(Bytes.wrap(all.toByteArray()));
  }

  /** An effect passed. */
  static void put(ShadowKey key, Bytes name, Content desired) {
    ShadowStream stream = new ShadowStream(key);
    if (!StreamElements.isEntry(name)) {
      putOther(key, stream, name, desired);
      return;
    }
    StreamId id = StreamElements.idOf(name);
    List<StreamId> before = stream.shown(id);
    Bytes value = desired.value();
    if (desired.isAbsent()) {
      before.forEach(stream::remove);
    } else if (value == null) {
      // One entry as a rule; of several the comparison with the snapshot shows where they are.
      before.forEach(stream::remove);
      stream.addContent(id, desired);
    } else {
      Map<StreamId, Bytes> after = StreamElements.shown(id, value);
      if (after.size() == 1 && before.size() == 1) {
        after = Map.of(before.get(0), after.values().iterator().next());
      }
      for (StreamId gone : before) {
        if (!after.containsKey(gone)) {
          stream.remove(gone);
        }
      }
      after.forEach(stream::add);
    }
  }

  private static void putOther(ShadowKey key, ShadowStream stream, Bytes name, Content desired) {
    Bytes value = desired.value();
    if (StreamElements.isGroup(name)) {
      if (value == null) {
        stream.removeGroup(StreamElements.groupOf(name));
      } else {
        raise(stream, name, StreamElements.acknowledged(value));
      }
    } else if (value != null) {
      stream.create();
    } else if (stream.exists() && stream.entries() == 0 && !stream.hasGroups()) {
      key.delete();
    }
  }
}
