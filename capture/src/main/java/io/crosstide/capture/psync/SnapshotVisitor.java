package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.Replicator;
import com.moilioncircle.redis.replicator.event.Event;
import com.moilioncircle.redis.replicator.io.RedisInputStream;
import com.moilioncircle.redis.replicator.rdb.BaseRdbParser;
import com.moilioncircle.redis.replicator.rdb.RdbValueVisitor;
import com.moilioncircle.redis.replicator.rdb.datatype.ContextKeyValuePair;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyStringValueModule;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyValuePair;
import com.moilioncircle.redis.replicator.rdb.datatype.ZSetEntry;
import com.moilioncircle.redis.replicator.rdb.iterable.ValueIterableRdbVisitor;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueZSetEntryIterator;
import com.moilioncircle.redis.replicator.rdb.skip.SkipRdbValueVisitor;
import io.crosstide.protocol.Content;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;

/**
 * Reads a snapshot in bounded memory: collections come as iterators; of modules, which the library
 * could only read whole, just the key is kept.
 */
final class SnapshotVisitor extends ValueIterableRdbVisitor {
  private final RdbValueVisitor skipped;

  SnapshotVisitor(Replicator replicator) {
    super(replicator);
    this.skipped = new SkipRdbValueVisitor(replicator);
  }

  @Override
  public Event applyStreamListPacks(RedisInputStream in, int version, ContextKeyValuePair context)
      throws IOException {
    byte[] key = key(in);
    return entry(new SnapshotStream(in, 1), key, context);
  }

  @Override
  public Event applyStreamListPacks2(RedisInputStream in, int version, ContextKeyValuePair context)
      throws IOException {
    byte[] key = key(in);
    return entry(new SnapshotStream(in, 2), key, context);
  }

  @Override
  public Event applyStreamListPacks3(RedisInputStream in, int version, ContextKeyValuePair context)
      throws IOException {
    byte[] key = key(in);
    return entry(new SnapshotStream(in, 3), key, context);
  }

  @Override
  public Event applyModule2(RedisInputStream in, int version, ContextKeyValuePair context)
      throws IOException {
    byte[] key = key(in);
    skipped.applyModule2(in, version);
    return entry(new KeyStringValueModule(), key, context);
  }

  @Override
  public Event applyZSetListPack(RedisInputStream in, int version, ContextKeyValuePair context)
      throws IOException {
    byte[] key = key(in);
    Iterator<Map.Entry<byte[], byte[]>> pairs = valueVisitor.applyHashListPack(in, version);
    return zset(key, pairs, context);
  }

  @Override
  public Event applyZSetZipList(RedisInputStream in, int version, ContextKeyValuePair context)
      throws IOException {
    byte[] key = key(in);
    Iterator<Map.Entry<byte[], byte[]>> pairs = valueVisitor.applyHashZipList(in, version);
    return zset(key, pairs, context);
  }

  /**
   * Small sorted sets are laid out as small hashes are, member then score as text. The library's
   * own reading of them fails on {@code inf}.
   */
  private static Event zset(
      byte[] key, Iterator<Map.Entry<byte[], byte[]>> pairs, ContextKeyValuePair context) {
    KeyStringValueZSetEntryIterator zset = new KeyStringValueZSetEntryIterator();
    zset.setValue(
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return pairs.hasNext();
          }

          @Override
          public ZSetEntry next() {
            Map.Entry<byte[], byte[]> pair = pairs.next();
            String score = new String(pair.getValue(), StandardCharsets.US_ASCII);
            return new ZSetEntry(pair.getKey(), Content.parseScore(score));
          }
        });
    return entry(zset, key, context);
  }

  private static byte[] key(RedisInputStream in) throws IOException {
    return new BaseRdbParser(in).rdbLoadEncodedStringObject().first();
  }

  private static <V> Event entry(
      KeyValuePair<byte[], V> entry, byte[] key, ContextKeyValuePair context) {
    entry.setKey(key);
    return context.valueOf(entry);
  }
}
