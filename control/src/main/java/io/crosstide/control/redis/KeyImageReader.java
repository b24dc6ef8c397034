package io.crosstide.control.redis;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.MapScanCursor;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.ScoredValueScanCursor;
import io.lettuce.core.ValueScanCursor;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes {@link KeyImage}s of a Redis. Keys are read in pipelines, long strings and large
 * collections in pieces, so that memory stays small whatever Redis holds.
 */
public final class KeyImageReader {
  /** Strings up to this size are read in pipelines, longer ones in pieces of it. Bytes. */
  private static final int PIECE_BYTES = 1 << 20;

  /** Keys are asked for together until they are estimated to hold this much. Bytes. */
  private static final long PIPELINE_BYTES = 8L << 20;

  /** Collections up to this many elements are read whole. */
  private static final long WHOLE_ELEMENTS_MAX = 512;

  private static final int SCAN_COUNT = 1_000;

  private static final String LIST = "list";

  /** A collection whose scan does not yield its size is scanned again this often. */
  private static final int SCAN_ATTEMPTS = 5;

  /** By how much a deadline told by a Redis before 7.0 may be off. Milliseconds. */
  public static final long DEADLINE_TOLERANCE_MILLIS_OLD = 25;

  private final RegionRedis redis;
  private final boolean tellsDeadlines;
  private final KeyImage.Builder builder = new KeyImage.Builder();

  /**
   * @throws RedisUnavailableException if Redis cannot be asked for its version
   */
  public KeyImageReader(RegionRedis redis) throws RedisUnavailableException {
    this.redis = redis;
    this.tellsDeadlines = RedisInfo.of(redis, "server").isVersion7();
  }

  /** By how much deadlines of this Redis may be off. Milliseconds. */
  public long deadlineToleranceMillis() {
    return tellsDeadlines ? 0 : DEADLINE_TOLERANCE_MILLIS_OLD;
  }

  /** Receives the keys of one step of a scan. */
  @FunctionalInterface
  public interface KeyConsumer {
    void accept(List<byte[]> keys) throws RedisUnavailableException;
  }

  /**
   * Shows every key of {@code db} but the reserved ones, some perhaps twice, in no order.
   *
   * @throws RedisUnavailableException if Redis goes away meanwhile
   */
  public void scan(int db, KeyConsumer consumer) throws RedisUnavailableException {
    ScanCursor cursor = ScanCursor.INITIAL;
    ScanArgs args = ScanArgs.Builder.limit(SCAN_COUNT);
    do {
      KeyScanCursor<byte[]> step = redis.await(redis.commands(db).scan(cursor, args));
      consumer.accept(step.getKeys().stream().filter(key -> !RedisKey.isReserved(key)).toList());
      cursor = step;
    } while (!cursor.isFinished());
  }

  /** What can be learnt of a key in one round trip. */
  private record Head(
      Bytes key, RedisFuture<String> type, RedisFuture<Long> deadline, RedisFuture<Long> bytes) {}

  private record Typed(Bytes name, String type, long deadlineMillis, long bytes) {
    byte[] key() {
      return name.array();
    }
  }

  /**
   * Images of {@code keys}, in their order.
   *
   * @throws RedisUnavailableException if Redis goes away meanwhile
   */
  public Map<RedisKey, KeyImage> images(int db, List<byte[]> keys)
      throws RedisUnavailableException {
    Map<RedisKey, KeyImage> images = new LinkedHashMap<>();
    List<Typed> waiting = new ArrayList<>();
    long bytes = 0;
    for (Typed key : heads(db, keys)) {
      if (bytes > 0 && bytes + key.bytes > PIPELINE_BYTES) {
        read(db, waiting, images);
        waiting.clear();
        bytes = 0;
      }
      waiting.add(key);
      bytes += key.bytes;
    }
    read(db, waiting, images);
    return images;
  }

  private List<Typed> heads(int db, List<byte[]> keys) throws RedisUnavailableException {
    RedisAsyncCommands<byte[], byte[]> commands = redis.commands(db);
    RedisFuture<List<byte[]>> time = commands.time();
    List<Head> asked = new ArrayList<>(keys.size());
    for (byte[] key : keys) {
      asked.add(
          new Head(
              Bytes.wrap(key),
              commands.type(key),
              tellsDeadlines ? commands.pexpiretime(key) : commands.pttl(key),
              commands.memoryUsage(key)));
    }
    long nowMillis = tellsDeadlines ? 0 : millis(redis.await(time));
    List<Typed> heads = new ArrayList<>(keys.size());
    for (Head head : asked) {
      String type = redis.await(head.type);
      long left = redis.await(head.deadline);
      Long bytes = redis.await(head.bytes);
      heads.add(
          new Typed(head.key, type, left < 0 ? 0 : nowMillis + left, bytes == null ? 64 : bytes));
    }
    return heads;
  }

  private static long millis(List<byte[]> time) {
    return number(time.get(0)) * 1000 + number(time.get(1)) / 1000;
  }

  private static long number(byte[] ascii) {
    return Long.parseLong(new String(ascii, StandardCharsets.US_ASCII));
  }

  private void read(int db, List<Typed> keys, Map<RedisKey, KeyImage> images)
      throws RedisUnavailableException {
    RedisAsyncCommands<byte[], byte[]> commands = redis.commands(db);
    List<RedisFuture<?>> contents = new ArrayList<>(keys.size());
    for (Typed key : keys) {
      contents.add(contentOrSize(commands, key));
    }
    for (int i = 0; i < keys.size(); i++) {
      Typed key = keys.get(i);
      builder.reset();
      Object content = redis.await(contents.get(i));
      boolean present = addContent(db, key, content);
      images.put(
          new RedisKey(db, key.name),
          present ? builder.image(key.type, key.deadlineMillis) : KeyImage.ABSENT);
    }
  }

  /** The content of what is small, the size of what is not. */
  private static RedisFuture<?> contentOrSize(
      RedisAsyncCommands<byte[], byte[]> commands, Typed key) {
    return switch (key.type) {
      case "string" ->
          key.bytes > PIECE_BYTES ? commands.strlen(key.key()) : commands.get(key.key());
      case "hash" -> isSmall(key) ? commands.hgetall(key.key()) : commands.hlen(key.key());
      case "set" -> isSmall(key) ? commands.smembers(key.key()) : commands.scard(key.key());
      case "zset" ->
          isSmall(key) ? commands.zrangeWithScores(key.key(), 0, -1) : commands.zcard(key.key());
      case LIST -> isSmall(key) ? commands.lrange(key.key(), 0, -1) : commands.llen(key.key());
      case "stream" -> commands.xlen(key.key());
      default -> commands.dump(key.key());
    };
  }

  private static boolean isSmall(Typed key) {
    // An element takes at least 16 bytes even in the compact encodings.
    return key.bytes <= WHOLE_ELEMENTS_MAX * 16;
  }

  /**
   * @return false if the key has vanished meanwhile
   */
  private boolean addContent(int db, Typed key, @org.jspecify.annotations.Nullable Object content)
      throws RedisUnavailableException {
    if (key.type.equals("none") || content == null) {
      return false;
    }
    if (key.type.equals("stream")) {
      new StreamImage(redis, db, key.key(), builder).read();
      return true;
    }
    if (content instanceof Long size) {
      if (size > 0) {
        addLarge(db, key, size);
      }
      return size > 0;
    }
    if (content instanceof Map<?, ?> fields) {
      fields.forEach((name, value) -> add((byte[]) name, Content.of(bytes(value))));
    } else if (key.type.equals(LIST) && content instanceof Iterable<?> values) {
      values.forEach(value -> builder.addNext(Content.of(bytes(value))));
    } else if (content instanceof Iterable<?> members) {
      members.forEach(this::addMember);
    } else {
      add(new byte[0], Content.of(bytes(content)));
    }
    return builder.elements() > 0;
  }

  private void addMember(Object member) {
    if (member instanceof ScoredValue<?> scored) {
      add((byte[]) scored.getValue(), Content.score(scored.getScore()));
    } else {
      add((byte[]) member, Content.PRESENT);
    }
  }

  private static Bytes bytes(Object value) {
    return Bytes.wrap((byte[]) value);
  }

  private void add(byte[] name, Content content) {
    builder.add(Bytes.wrap(name), content);
  }

  private void addLarge(int db, Typed key, long size) throws RedisUnavailableException {
    if (key.type.equals("string")) {
      addLongString(db, key.key(), size);
      return;
    }
    for (int attempt = 1; attempt <= SCAN_ATTEMPTS; attempt++) {
      builder.reset();
      switch (key.type) {
        case "hash" -> scanHash(db, key.key());
        case "set" -> scanSet(db, key.key());
        case LIST -> readList(db, key.key());
        default -> scanZset(db, key.key());
      }
      // A scan may show an element twice while the table is resized; then the size tells.
      if (builder.elements() == size) {
        return;
      }
    }
  }

  private void addLongString(int db, byte[] key, long size) throws RedisUnavailableException {
    MessageDigest sha1 = sha1();
    for (long from = 0; from < size; from += PIECE_BYTES) {
      sha1.update(redis.await(redis.commands(db).getrange(key, from, from + PIECE_BYTES - 1)));
    }
    builder.add(Bytes.EMPTY, Content.digest(Bytes.wrap(sha1.digest())));
  }

  private void scanHash(int db, byte[] key) throws RedisUnavailableException {
    ScanCursor cursor = ScanCursor.INITIAL;
    ScanArgs args = ScanArgs.Builder.limit(SCAN_COUNT);
    do {
      MapScanCursor<byte[], byte[]> step = redis.await(redis.commands(db).hscan(key, cursor, args));
      step.getMap().forEach((name, value) -> add(name, Content.of(Bytes.wrap(value))));
      cursor = step;
    } while (!cursor.isFinished());
  }

  /** In pieces: what a client pushes or pops meanwhile shows in the size. */
  private void readList(int db, byte[] key) throws RedisUnavailableException {
    List<byte[]> piece;
    do {
      long from = builder.elements();
      piece = redis.await(redis.commands(db).lrange(key, from, from + SCAN_COUNT - 1));
      piece.forEach(value -> builder.addNext(Content.of(Bytes.wrap(value))));
    } while (piece.size() == SCAN_COUNT);
  }

  private void scanSet(int db, byte[] key) throws RedisUnavailableException {
    ScanCursor cursor = ScanCursor.INITIAL;
    ScanArgs args = ScanArgs.Builder.limit(SCAN_COUNT);
    do {
      ValueScanCursor<byte[]> step = redis.await(redis.commands(db).sscan(key, cursor, args));
      step.getValues().forEach(member -> add(member, Content.PRESENT));
      cursor = step;
    } while (!cursor.isFinished());
  }

  private void scanZset(int db, byte[] key) throws RedisUnavailableException {
    ScanCursor cursor = ScanCursor.INITIAL;
    ScanArgs args = ScanArgs.Builder.limit(SCAN_COUNT);
    do {
      ScoredValueScanCursor<byte[]> step = redis.await(redis.commands(db).zscan(key, cursor, args));
      step.getValues().forEach(this::addMember);
      cursor = step;
    } while (!cursor.isFinished());
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }
}
