package io.crosstide.simulation;

import com.moilioncircle.redis.replicator.rdb.datatype.DB;
import com.moilioncircle.redis.replicator.rdb.datatype.ExpiredType;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyStringValueString;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyValuePair;
import com.moilioncircle.redis.replicator.rdb.datatype.ZSetEntry;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueByteArrayIterator;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueMapEntryIterator;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueZSetEntryIterator;
import io.crosstide.capture.beacon.BeaconWriter;
import io.crosstide.capture.rdb.Snapshot;
import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The entries of the snapshot that a Redis sends at a full resync. */
final class SimSnapshot {
  private static final int RDB_TYPE_SET = 2;

  private SimSnapshot() {}

  static Snapshot of(SimRedis redis) {
    Snapshot snapshot = new Snapshot(InMemoryShadow.staging());
    for (RedisKey key : redis.keyNames()) {
      SimKeyspace.Value value = Objects.requireNonNull(redis.value(key));
      KeyValuePair<byte[], ?> entry = entry(value);
      if (value.deadline != 0) {
        entry.setExpiredType(ExpiredType.MS);
        entry.setExpiredValue(value.deadline);
      }
      accept(snapshot, key.db(), key.name().array(), entry);
    }
    List<Map.Entry<byte[], byte[]>> fields = new ArrayList<>();
    if (redis.marker != null) {
      Resp.fields(redis.marker)
          .forEach((field, text) -> fields.add(Map.entry(ascii(field), ascii(text))));
      fields.add(Map.entry(ascii("h"), ascii(Long.toString(redis.highestStamp))));
    }
    if (redis.token != null) {
      fields.add(Map.entry(ascii("t"), ascii(redis.token)));
    }
    if (!fields.isEmpty()) {
      accept(snapshot, 0, ascii(Resp.MARKER), hash(fields));
    }
    if (redis.beaconMillis != 0) {
      accept(
          snapshot, 0, ascii(BeaconWriter.KEY), string(ascii(Long.toString(redis.beaconMillis))));
    }
    return snapshot;
  }

  private static void accept(
      Snapshot snapshot, int db, byte[] name, KeyValuePair<byte[], ?> entry) {
    entry.setDb(new DB(db));
    entry.setKey(name);
    snapshot.accept(entry);
  }

  private static KeyValuePair<byte[], ?> entry(SimKeyspace.Value value) {
    switch (value.kind) {
      case STRING -> {
        return string(bytes(value.elements.firstEntry().getValue()));
      }
      case HASH_FIELD -> {
        List<Map.Entry<byte[], byte[]>> fields = new ArrayList<>();
        value.elements.forEach(
            (name, content) -> fields.add(Map.entry(name.array(), bytes(content))));
        return hash(fields);
      }
      case SET_MEMBER -> {
        List<byte[]> members = new ArrayList<>();
        value.elements.keySet().forEach(name -> members.add(name.array()));
        KeyStringValueByteArrayIterator set = new KeyStringValueByteArrayIterator();
        set.setValueRdbType(RDB_TYPE_SET);
        set.setValue(members.iterator());
        return set;
      }
      case ZSET_MEMBER -> {
        List<ZSetEntry> members = new ArrayList<>();
        value.elements.forEach((name, content) -> members.add(member(name, content)));
        KeyStringValueZSetEntryIterator zset = new KeyStringValueZSetEntryIterator();
        zset.setValue(members.iterator());
        return zset;
      }
      default -> throw new IllegalStateException("no key is a " + value.kind);
    }
  }

  private static KeyStringValueString string(byte[] value) {
    KeyStringValueString string = new KeyStringValueString();
    string.setValue(value);
    return string;
  }

  private static KeyStringValueMapEntryIterator hash(List<Map.Entry<byte[], byte[]>> fields) {
    KeyStringValueMapEntryIterator hash = new KeyStringValueMapEntryIterator();
    hash.setValue(fields.iterator());
    return hash;
  }

  private static ZSetEntry member(Bytes name, Content score) {
    return new ZSetEntry(
        name.array(), Content.parseScore(Objects.requireNonNull(score.value()).text()));
  }

  private static byte[] bytes(Content content) {
    return Objects.requireNonNull(content.value()).array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
