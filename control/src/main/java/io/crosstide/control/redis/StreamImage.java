package io.crosstide.control.redis;

import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Adds the elements of a stream to a {@link KeyImage}, as merged state has them: entries by the id
 * they were given, groups by name. Reads page by page; keeps the entries of one millisecond.
 */
final class StreamImage {
  private static final int PAGE = 1_000;

  private final RegionRedis redis;
  private final int db;
  private final byte[] key;
  private final KeyImage.Builder builder;

  /** By the id they were given, in the order of the ids they are shown under. */
  private final Map<StreamId, ByteWriter> ofMillis = new TreeMap<>();

  private @Nullable StreamId last;

  StreamImage(RegionRedis redis, int db, byte[] key, KeyImage.Builder builder) {
    this.redis = redis;
    this.db = db;
    this.key = key;
    this.builder = builder;
  }

  void read() throws RedisUnavailableException {
    RedisAsyncCommands<byte[], byte[]> commands = redis.commands(db);
    Range<String> range = Range.unbounded();
    List<StreamMessage<byte[], byte[]>> page;
    do {
      page = redis.await(commands.xrange(key, range, Limit.from(PAGE)));
      for (StreamMessage<byte[], byte[]> entry : page) {
        add(entry);
      }
      if (!page.isEmpty()) {
        range =
            Range.from(
                Range.Boundary.excluding(page.get(page.size() - 1).getId()),
                Range.Boundary.unbounded());
      }
    } while (page.size() == PAGE);
    flush();
    for (Object group : redis.await(commands.xinfoGroups(key))) {
      builder.add(StreamElements.group(nameOf((List<?>) group)), Content.PRESENT);
    }
  }

  private void add(StreamMessage<byte[], byte[]> entry) {
    StreamId id = StreamId.parse(entry.getId(), 0);
    if (id == null) {
      throw new IllegalStateException("Redis shows an entry with the id " + entry.getId());
    }
    if (last != null && last.millis() != id.millis()) {
      flush();
    }
    last = id;
    List<Bytes> fields = new ArrayList<>();
    entry
        .getBody()
        .forEach(
            (field, value) -> {
              fields.add(Bytes.wrap(field));
              fields.add(Bytes.wrap(value));
            });
    byte[] value = StreamElements.entryValue(fields).array();
    ByteWriter of = ofMillis.computeIfAbsent(id.given(), given -> new ByteWriter(value.length));
    value[0] = of.size() == 0 ? 0 : (byte) id.region();
    of.raw(value);
  }

  private void flush() {
    ofMillis.forEach(
        (id, value) ->
            builder.add(StreamElements.entry(id), Content.of(Bytes.wrap(value.toByteArray()))));
    ofMillis.clear();
  }

  private static Bytes nameOf(List<?> group) {
    for (int i = 0; i + 1 < group.size(); i += 2) {
      String field = new String((byte[]) group.get(i), StandardCharsets.US_ASCII);
      if (field.equals("name")) {
        return Bytes.wrap((byte[]) group.get(i + 1));
      }
    }
    throw new IllegalStateException("a group without a name: is there a proxy before Redis?");
  }
}
