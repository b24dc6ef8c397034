package io.crosstide.capture.rdb;

import com.moilioncircle.redis.replicator.event.Event;
import com.moilioncircle.redis.replicator.rdb.datatype.AuxField;
import com.moilioncircle.redis.replicator.rdb.datatype.ExpiredType;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyStringValueModule;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyStringValueString;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyValuePair;
import com.moilioncircle.redis.replicator.rdb.datatype.TTLValue;
import com.moilioncircle.redis.replicator.rdb.datatype.ZSetEntry;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueByteArrayIterator;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueMapEntryIterator;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueTTLMapEntryIterator;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueZSetEntryIterator;
import io.crosstide.capture.beacon.BeaconWriter;
import io.crosstide.capture.psync.SnapshotStream;
import io.crosstide.capture.shadow.RocksShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowOptions;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What Redis held at one place of its history, read off a snapshot as it arrives and kept on disk,
 * ordered like the shadow. Kept whole before anything is compared, because the markers, which every
 * difference is stamped with, may stand anywhere in it.
 *
 * <p>Disposable: a crash leaves a directory that the next snapshot clears.
 */
public final class Snapshot implements AutoCloseable {
  private static final int RDB_TYPE_SET = 2;
  private static final int RDB_TYPE_SET_INTSET = 11;
  private static final int RDB_TYPE_SET_LISTPACK = 20;

  private final @Nullable Path directory;
  private final Shadow content;
  private final Map<Integer, MarkerState> markers = new TreeMap<>();
  private final Map<Integer, String> tokens = new TreeMap<>();
  private final Map<String, Long> unsupported = new TreeMap<>();
  private HybridTimestamp highestStamp = HybridTimestamp.ZERO;
  private long beaconMillis;
  private long createdMillis;
  private long keys;

  /**
   * @param directory cleared now and when closed
   */
  public Snapshot(Path directory) {
    this.directory = directory;
    delete(directory);
    this.content = RocksShadow.open(directory, ShadowOptions.staging());
  }

  /**
   * A snapshot kept elsewhere than in files.
   *
   * @param content empty, keeps whole values; closed with the snapshot
   */
  public Snapshot(Shadow content) {
    this.directory = null;
    this.content = content;
  }

  /** What Redis held, reserved keys left out; keys of types not replicated are opaque. */
  Shadow content() {
    return content;
  }

  Map<Integer, MarkerState> markers() {
    return markers;
  }

  /** What an owner has left in the place of a partition's marker (P3); empty if nothing. */
  String token(int partition) {
    return tokens.getOrDefault(partition, "");
  }

  /** Highest stamp of what its effects may show a client (P28). */
  HybridTimestamp highestStamp() {
    return highestStamp;
  }

  /** The wall clock of the last beacon in the snapshot; 0 if it has none. */
  long beaconMillis() {
    return beaconMillis;
  }

  /** When Redis made the snapshot, by its own clock, in whole seconds; 0 if it does not say. */
  long createdMillis() {
    return createdMillis;
  }

  /** Keys that cannot be replicated yet, by the name of their type. */
  public Map<String, Long> unsupported() {
    return unsupported;
  }

  /** Keys read so far, reserved ones left out. */
  public long keys() {
    return keys;
  }

  /** Takes one entry of the snapshot. */
  public void accept(Event event) {
    if (event instanceof AuxField aux) {
      if (aux.getAuxKey().equals("ctime")) {
        createdMillis = Long.parseLong(aux.getAuxValue()) * 1_000;
      }
    } else if (event instanceof KeyValuePair<?, ?> entry && entry.getKey() instanceof byte[] name) {
      int db = entry.getDb() == null ? 0 : (int) entry.getDb().getDbNumber();
      if (RedisKey.isReserved(name)) {
        reserved(db, new String(name, java.nio.charset.StandardCharsets.ISO_8859_1), entry);
      } else {
        keys++;
        ShadowKey key = content.key(db, Bytes.wrap(name));
        fill(key, entry);
        key.deadline(deadlineMillis(entry));
      }
    }
  }

  private void fill(ShadowKey key, KeyValuePair<?, ?> entry) {
    if (entry instanceof KeyStringValueString string) {
      key.setString(Bytes.wrap(string.getValue()));
    } else if (entry instanceof KeyStringValueMapEntryIterator hash) {
      for (Iterator<Map.Entry<byte[], byte[]>> it = hash.getValue(); it.hasNext(); ) {
        Map.Entry<byte[], byte[]> field = it.next();
        key.putField(Bytes.wrap(field.getKey()), Bytes.wrap(field.getValue()));
      }
    } else if (entry instanceof KeyStringValueTTLMapEntryIterator hash) {
      count("hash fields with a deadline of their own");
      for (Iterator<Map.Entry<byte[], TTLValue>> it = hash.getValue(); it.hasNext(); ) {
        Map.Entry<byte[], TTLValue> field = it.next();
        key.putField(Bytes.wrap(field.getKey()), Bytes.wrap(field.getValue().getValue()));
      }
    } else if (entry instanceof KeyStringValueZSetEntryIterator zset) {
      for (Iterator<ZSetEntry> it = zset.getValue(); it.hasNext(); ) {
        ZSetEntry member = it.next();
        key.putScore(Bytes.wrap(member.getElement()), member.getScore());
      }
    } else if (entry instanceof KeyStringValueByteArrayIterator list) {
      boolean set = isSet(list.getValueRdbType());
      for (Iterator<byte[]> it = list.getValue(); it.hasNext(); ) {
        byte[] element = it.next();
        if (set) {
          key.addMember(Bytes.wrap(element));
        } else {
          key.list().append(Content.of(Bytes.wrap(element)));
        }
      }
    } else if (entry instanceof SnapshotStream stream) {
      read(stream, key);
    } else {
      unsupported(
          key,
          entry instanceof KeyStringValueModule ? "module type" : entry.getClass().getSimpleName());
    }
  }

  private static void read(SnapshotStream stream, ShadowKey into) {
    try {
      stream.readInto(new ShadowStream(into));
    } catch (IOException e) {
      throw new UncheckedIOException("a stream in the snapshot cannot be read", e);
    }
  }

  private static boolean isSet(int rdbType) {
    return rdbType == RDB_TYPE_SET
        || rdbType == RDB_TYPE_SET_INTSET
        || rdbType == RDB_TYPE_SET_LISTPACK;
  }

  private void unsupported(ShadowKey key, String type) {
    key.markOpaque();
    count(type);
  }

  private void count(String type) {
    unsupported.merge(type, 1L, Long::sum);
  }

  private static long deadlineMillis(KeyValuePair<?, ?> entry) {
    Long value = entry.getExpiredValue();
    if (value == null) {
      return 0;
    }
    return entry.getExpiredType() == ExpiredType.SECOND ? value * 1_000 : value;
  }

  private void reserved(int db, String name, KeyValuePair<?, ?> entry) {
    if (db == 0 && name.equals(BeaconWriter.KEY) && entry instanceof KeyStringValueString string) {
      beaconMillis = Long.parseLong(ascii(string.getValue()));
    } else if (db == 0 && entry instanceof KeyStringValueMapEntryIterator hash) {
      Map<String, String> fields = new HashMap<>();
      for (Iterator<Map.Entry<byte[], byte[]>> it = hash.getValue(); it.hasNext(); ) {
        Map.Entry<byte[], byte[]> field = it.next();
        fields.put(ascii(field.getKey()), ascii(field.getValue()));
      }
      int open = name.indexOf('{');
      int close = name.indexOf('}');
      if (open >= 0 && close == name.length() - 1) {
        marker(Integer.parseInt(name.substring(open + 1, close)), fields);
      }
    } else if (entry instanceof SnapshotStream stream) {
      ShadowKey aside = content.key(db, Bytes.utf8(name));
      read(stream, aside);
      aside.delete();
    } else {
      drain(entry.getValue());
    }
  }

  private void marker(int partition, Map<String, String> fields) {
    if (MarkerFields.isMarker(fields)) {
      markers.put(partition, MarkerFields.decode(fields));
      highestStamp = Collections.max(List.of(highestStamp, MarkerFields.stamp(fields)));
    }
    if (fields.containsKey("t")) {
      tokens.put(partition, fields.get("t"));
    }
  }

  private static void drain(Object value) {
    if (value instanceof Iterator<?> it) {
      while (it.hasNext()) {
        it.next();
      }
    }
  }

  private static String ascii(byte[] bytes) {
    return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() {
    content.close();
    if (directory != null) {
      delete(directory);
    }
  }

  private static void delete(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "the staging directory " + directory + " cannot be cleared", e);
    }
  }
}
