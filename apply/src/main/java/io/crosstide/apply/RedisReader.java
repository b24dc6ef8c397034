package io.crosstide.apply;

import io.crosstide.apply.lua.LuaScript;
import io.crosstide.apply.lua.MarkerEncoder;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a region's Redis back, for {@code verify} and {@code explain}: whole keys, or all keys as
 * summaries. Reserved keys are left out. Writes nothing.
 *
 * <p>Not for several threads at once. Each method waits for Redis; it throws {@link
 * io.lettuce.core.RedisException} when the connection is lost, and the reader is then of no more
 * use.
 *
 * <p>What is read is exact while nobody writes. A collection that changes while it is read in
 * pieces may be read as it never was, as with Redis's own {@code SCAN}.
 */
public final class RedisReader implements AutoCloseable {
  /** Keys described by one call. */
  private static final int PAGE_KEYS = 256;

  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final RedisCommands<byte[], byte[]> redis;
  private final ValueReader values;
  private int db;

  private RedisReader(StatefulRedisConnection<byte[], byte[]> connection) {
    this.connection = connection;
    this.redis = connection.sync();
    this.values = new ValueReader(connection);
  }

  static RedisReader open(RedisClient client, RedisURI uri, ApplyConfig config) {
    StatefulRedisConnection<byte[], byte[]> connection =
        client.connect(ByteArrayCodec.INSTANCE, uri);
    // A piece of a large value may take longer than opening a connection.
    connection.setTimeout(config.stallTimeout());
    return new RedisReader(connection);
  }

  /**
   * The databases that hold keys, with their number of keys, reserved and expired ones included.
   */
  public SortedMap<Integer, Long> databases() {
    SortedMap<Integer, Long> databases = new TreeMap<>();
    for (String line : redis.info("keyspace").split("\r?\n", -1)) {
      int colon = line.indexOf(":keys=");
      if (line.startsWith("db") && colon > 0) {
        String keys = line.substring(colon + ":keys=".length());
        int comma = keys.indexOf(',');
        databases.put(
            Integer.parseInt(line.substring(2, colon)),
            Long.parseLong(comma < 0 ? keys : keys.substring(0, comma)));
      }
    }
    return databases;
  }

  /** The whole key; empty if there is none, or a reserved one. */
  public Optional<KeyState> read(RedisKey key) {
    if (key.isReserved()) {
      return Optional.empty();
    }
    use(key.db());
    return values.whileChanging(
        key,
        () -> {
          KeyDescription description = describe(List.of(key.name().array())).get(0);
          return description.exists()
              ? Optional.of(new KeyState(key, values.read(description), description.deadline()))
              : Optional.empty();
        });
  }

  /** The key's summary; empty if there is none, or a reserved one. */
  public Optional<KeySummary> summarise(RedisKey key) {
    if (key.isReserved()) {
      return Optional.empty();
    }
    use(key.db());
    return summariseInDb(key);
  }

  private Optional<KeySummary> summariseInDb(RedisKey key) {
    return values.whileChanging(
        key,
        () -> {
          KeyDescription description = describe(List.of(key.name().array())).get(0);
          return description.exists()
              ? Optional.of(summary(key, description, values.digest(description)))
              : Optional.empty();
        });
  }

  /**
   * Hands a summary of every key of every database to {@code consumer}, database by database. A key
   * that is there all the time is seen at least once, and may be seen more than once.
   */
  public void scan(Consumer<KeySummary> consumer) {
    for (int database : databases().keySet()) {
      scan(database, consumer);
    }
  }

  /** As {@link #scan(Consumer)}, for one database. */
  public void scan(int database, Consumer<KeySummary> consumer) {
    scanNames(
        database,
        names -> {
          use(database);
          summarisePage(database, names, consumer);
        });
  }

  /** Hands every key of every database to {@code consumer}, each at least once. */
  public void scanKeys(Consumer<RedisKey> consumer) {
    for (int database : databases().keySet()) {
      scanNames(
          database,
          names ->
              names.forEach(name -> consumer.accept(new RedisKey(database, Bytes.wrap(name)))));
    }
  }

  /** The partition's marker, or null if there is none. */
  public @Nullable MarkerState marker(int partition) {
    use(0);
    byte[] key = MarkerState.key(partition).getBytes(StandardCharsets.US_ASCII);
    if (!"hash".equals(redis.type(key))) {
      return null;
    }
    List<byte[]> fieldsAndValues = new ArrayList<>();
    for (Map.Entry<byte[], byte[]> field : redis.hgetall(key).entrySet()) {
      fieldsAndValues.add(field.getKey());
      fieldsAndValues.add(field.getValue());
    }
    return MarkerEncoder.decode(fieldsAndValues);
  }

  private void scanNames(int database, Consumer<List<byte[]>> consumer) {
    ScanCursor cursor = ScanCursor.INITIAL;
    do {
      use(database);
      KeyScanCursor<byte[]> page = redis.scan(cursor, ScanArgs.Builder.limit(PAGE_KEYS));
      List<byte[]> names = new ArrayList<>(page.getKeys().size());
      for (byte[] name : page.getKeys()) {
        if (!RedisKey.isReserved(name)) {
          names.add(name);
        }
      }
      if (!names.isEmpty()) {
        consumer.accept(names);
      }
      cursor = page;
    } while (!cursor.isFinished());
  }

  private void summarisePage(int database, List<byte[]> names, Consumer<KeySummary> consumer) {
    List<KeyDescription> descriptions = describe(names);
    descriptions.removeIf(description -> !description.exists());
    List<@Nullable Bytes> digests = values.digests(descriptions);
    for (int i = 0; i < descriptions.size(); i++) {
      KeyDescription description = descriptions.get(i);
      RedisKey key = new RedisKey(database, Bytes.wrap(description.name()));
      Bytes digest = digests.get(i);
      if (digest != null) {
        consumer.accept(summary(key, description, digest));
      } else {
        summariseInDb(key).ifPresent(consumer);
      }
    }
  }

  private static KeySummary summary(RedisKey key, KeyDescription description, Bytes digest) {
    return new KeySummary(key, description.type(), description.deadline(), digest);
  }

  private List<KeyDescription> describe(List<byte[]> names) {
    List<Object> reply =
        redis.eval(LuaScript.DESCRIBE.text(), ScriptOutputType.MULTI, names.toArray(new byte[0][]));
    List<KeyDescription> descriptions = new ArrayList<>(names.size());
    for (int i = 0; i < names.size(); i++) {
      long deadline = (Long) reply.get(3 * i + 1);
      descriptions.add(
          new KeyDescription(
              names.get(i),
              new String((byte[]) reply.get(3 * i), StandardCharsets.US_ASCII),
              deadline < 0 ? OptionalLong.empty() : OptionalLong.of(deadline),
              (Long) reply.get(3 * i + 2)));
    }
    return descriptions;
  }

  private void use(int database) {
    if (database != db) {
      redis.select(database);
      db = database;
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
