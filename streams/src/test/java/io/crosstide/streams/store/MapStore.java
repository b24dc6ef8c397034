package io.crosstide.streams.store;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** A store in a map that notes what is written and how much is walked over. */
final class MapStore implements KeyValueStore<Bytes, byte[]> {
  final TreeMap<Bytes, byte[]> rows = new TreeMap<>();

  /** Keys written, {@code +} or {@code -} first, in order. */
  final List<String> written = new ArrayList<>();

  /** Calls that wrote several rows. */
  int batches;

  /** First keys of the ranges asked for. */
  final List<Bytes> ranges = new ArrayList<>();

  @Override
  public void put(Bytes key, byte @Nullable [] value) {
    if (value == null) {
      rows.remove(key);
      written.add("-" + new String(key.get(), java.nio.charset.StandardCharsets.ISO_8859_1));
    } else {
      rows.put(key, value);
      written.add("+" + new String(key.get(), java.nio.charset.StandardCharsets.ISO_8859_1));
    }
  }

  @Override
  public byte @Nullable [] putIfAbsent(Bytes key, byte[] value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void putAll(List<KeyValue<Bytes, byte[]>> entries) {
    batches++;
    entries.forEach(entry -> put(entry.key, entry.value));
  }

  @Override
  public byte @Nullable [] delete(Bytes key) {
    throw new UnsupportedOperationException("it reads what nobody needs");
  }

  @Override
  public byte @Nullable [] get(Bytes key) {
    return rows.get(key);
  }

  @Override
  public KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
    ranges.add(from);
    return over(rows.subMap(from, true, to, true));
  }

  @Override
  public KeyValueIterator<Bytes, byte[]> reverseRange(Bytes from, Bytes to) {
    return over(rows.subMap(from, true, to, true).descendingMap());
  }

  private static KeyValueIterator<Bytes, byte[]> over(Map<Bytes, byte[]> range) {
    Iterator<Map.Entry<Bytes, byte[]>> entries = new ArrayList<>(range.entrySet()).iterator();
    return new KeyValueIterator<>() {
      @Override
      public void close() {}

      @Override
      public Bytes peekNextKey() {
        throw new UnsupportedOperationException();
      }

      @Override
      public boolean hasNext() {
        return entries.hasNext();
      }

      @Override
      public KeyValue<Bytes, byte[]> next() {
        Map.Entry<Bytes, byte[]> entry = entries.next();
        return KeyValue.pair(entry.getKey(), entry.getValue());
      }
    };
  }

  @Override
  public KeyValueIterator<Bytes, byte[]> all() {
    throw new UnsupportedOperationException();
  }

  @Override
  public long approximateNumEntries() {
    return rows.size();
  }

  @Override
  public String name() {
    return "rows";
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {}

  @Override
  public void close() {}

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return true;
  }
}
