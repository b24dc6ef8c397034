package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.MapScanCursor;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.ScoredValueScanCursor;
import io.lettuce.core.ValueScanCursor;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads and digests values of keys of the selected database: small ones many at a time, large ones
 * in pieces so that neither Redis nor this process has to hold the whole at once.
 */
final class ValueReader {
  /** Strings up to this many bytes are read whole. */
  private static final int STRING_WHOLE_MAX = 64 * 1024;

  /** Longer strings are read in pieces of this many bytes. */
  private static final int STRING_PIECE = 1024 * 1024;

  /** Collections up to this many elements are read whole. */
  private static final int ELEMENTS_WHOLE_MAX = 512;

  /** Larger collections are read in pieces of about this many elements. */
  private static final int ELEMENTS_PIECE = 1000;

  /** What one round trip asks for, in estimated bytes. */
  private static final long WINDOW = 8 * 1024 * 1024;

  /** An element's share of {@link #WINDOW}; its real size is not known beforehand. */
  private static final long ELEMENT_ESTIMATE = 256;

  /** How often a key that changes its type while it is read is tried again. */
  private static final int ATTEMPTS = 10;

  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final RedisCommands<byte[], byte[]> redis;
  private final RedisAsyncCommands<byte[], byte[]> async;

  ValueReader(StatefulRedisConnection<byte[], byte[]> connection) {
    this.connection = connection;
    this.redis = connection.sync();
    this.async = connection.async();
  }

  /**
   * Runs {@code reading} again as long as the key turns out to be of another type than described.
   */
  <T> T whileChanging(RedisKey key, Supplier<T> reading) {
    for (int attempt = 1; ; attempt++) {
      try {
        return reading.get();
      } catch (RedisCommandExecutionException e) {
        if (!isWrongType(e) || attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private static boolean isWrongType(Throwable e) {
    String message = e.getMessage();
    return message != null && RedisRefusal.code(message).equals("WRONGTYPE");
  }

  /** Reads the whole value into memory. */
  RedisValue read(KeyDescription key) {
    Collector collector = new Collector();
    return switch (key.type()) {
      case "string" -> {
        ByteArrayOutputStream text =
            new ByteArrayOutputStream(Math.toIntExact(Math.max(key.size(), 0)));
        pieces(key, text::writeBytes);
        yield new RedisValue.Text(Bytes.wrap(text.toByteArray()));
      }
      case "hash" -> {
        elements(key, collector);
        yield new RedisValue.Fields(collector.fields);
      }
      case "set" -> {
        elements(key, collector);
        yield new RedisValue.Members(collector.members);
      }
      case "zset" -> {
        elements(key, collector);
        yield new RedisValue.Scores(collector.scores);
      }
      default -> new RedisValue.Unsupported(key.type());
    };
  }

  /** Digests the value, in constant memory however large it is. */
  Bytes digest(KeyDescription key) {
    switch (key.type()) {
      case "string" -> {
        ValueDigest digest = new ValueDigest("string");
        digest.begin(new byte[0]);
        pieces(key, digest::update);
        return digest.end().finish();
      }
      case "hash", "set", "zset" -> {
        ValueDigest digest = new ValueDigest(key.type());
        elements(key, new Digester(digest, null));
        if (digest.elements() == key.size()) {
          return digest.finish();
        }
        // SCAN may give an element twice while a table is being resized; remember them then.
        ValueDigest distinct = new ValueDigest(key.type());
        elements(key, new Digester(distinct, new HashSet<>()));
        return distinct.finish();
      }
      default -> {
        return new ValueDigest(key.type()).finish();
      }
    }
  }

  /**
   * The digests of several keys, in few round trips.
   *
   * @return null in the place of a key that is large, or is not as described any more: to be asked
   *     for alone
   */
  List<@Nullable Bytes> digests(List<KeyDescription> keys) {
    List<@Nullable Bytes> digests = new ArrayList<>(keys.size());
    int from = 0;
    while (from < keys.size()) {
      long window = 0;
      int to = from;
      List<Answer> answers = new ArrayList<>();
      connection.setAutoFlushCommands(false);
      try {
        while (to < keys.size() && window < WINDOW) {
          KeyDescription key = keys.get(to++);
          answers.add(ask(key));
          window += key.type().equals("string") ? key.size() : key.size() * ELEMENT_ESTIMATE;
        }
      } finally {
        connection.setAutoFlushCommands(true);
        connection.flushCommands();
      }
      for (Answer answer : answers) {
        digests.add(digestOrNull(answer));
      }
      from = to;
    }
    return digests;
  }

  /** A digest to come; null if there is none to be had in this way. */
  private interface Answer {
    @Nullable Bytes digest();
  }

  private static @Nullable Bytes digestOrNull(Answer answer) {
    try {
      return answer.digest();
    } catch (RedisCommandExecutionException e) {
      if (isWrongType(e)) {
        return null;
      }
      throw e;
    }
  }

  /** Asks for a small value whole, without waiting. */
  private Answer ask(KeyDescription key) {
    ValueDigest digest = new ValueDigest(key.type());
    switch (key.type()) {
      case "string" -> {
        if (key.size() > STRING_WHOLE_MAX) {
          return () -> null;
        }
        RedisFuture<byte[]> value = async.get(key.name());
        return () -> {
          byte[] bytes = await(value);
          return bytes == null ? null : digest.add(new byte[0], bytes).finish();
        };
      }
      case "hash", "set", "zset" -> {
        if (key.size() > ELEMENTS_WHOLE_MAX) {
          return () -> null;
        }
        IntSupplier read = askElements(key, new Digester(digest, null));
        return () -> read.getAsInt() == 0 ? null : digest.finish();
      }
      default -> {
        return digest::finish;
      }
    }
  }

  /** What elements are given to. */
  private interface Sink {
    void field(byte[] name, byte[] value);

    void member(byte[] member);

    void score(byte[] member, double score);
  }

  /** Asks for all elements; what is returned waits for them and tells how many there were. */
  private IntSupplier askElements(KeyDescription key, Sink sink) {
    switch (key.type()) {
      case "hash" -> {
        RedisFuture<Map<byte[], byte[]>> fields = async.hgetall(key.name());
        return () -> {
          Map<byte[], byte[]> read = awaitPresent(fields);
          read.forEach(sink::field);
          return read.size();
        };
      }
      case "set" -> {
        RedisFuture<Set<byte[]>> members = async.smembers(key.name());
        return () -> {
          Set<byte[]> read = awaitPresent(members);
          read.forEach(sink::member);
          return read.size();
        };
      }
      default -> {
        RedisFuture<List<ScoredValue<byte[]>>> scores = async.zrangeWithScores(key.name(), 0, -1);
        return () -> {
          List<ScoredValue<byte[]>> read = awaitPresent(scores);
          read.forEach(scored -> sink.score(scored.getValue(), scored.getScore()));
          return read.size();
        };
      }
    }
  }

  private void elements(KeyDescription key, Sink sink) {
    if (key.size() <= ELEMENTS_WHOLE_MAX) {
      int unused = askElements(key, sink).getAsInt();
      return;
    }
    ScanArgs piece = ScanArgs.Builder.limit(ELEMENTS_PIECE);
    ScanCursor cursor = ScanCursor.INITIAL;
    do {
      switch (key.type()) {
        case "hash" -> {
          MapScanCursor<byte[], byte[]> page = redis.hscan(key.name(), cursor, piece);
          page.getMap().forEach(sink::field);
          cursor = page;
        }
        case "set" -> {
          ValueScanCursor<byte[]> page = redis.sscan(key.name(), cursor, piece);
          page.getValues().forEach(sink::member);
          cursor = page;
        }
        default -> {
          ScoredValueScanCursor<byte[]> page = redis.zscan(key.name(), cursor, piece);
          page.getValues().forEach(scored -> sink.score(scored.getValue(), scored.getScore()));
          cursor = page;
        }
      }
    } while (!cursor.isFinished());
  }

  private void pieces(KeyDescription key, Consumer<byte[]> sink) {
    if (key.size() <= STRING_WHOLE_MAX) {
      byte[] value = redis.get(key.name());
      if (value != null) {
        sink.accept(value);
      }
      return;
    }
    for (long from = 0; from < key.size(); from += STRING_PIECE) {
      sink.accept(redis.getrange(key.name(), from, from + STRING_PIECE - 1));
    }
  }

  private <T> @Nullable T await(RedisFuture<T> future) {
    return LettuceFutures.awaitOrCancel(
        future, connection.getTimeout().toNanos(), TimeUnit.NANOSECONDS);
  }

  private <T> T awaitPresent(RedisFuture<T> future) {
    return Objects.requireNonNull(await(future), "a collection reply is never nil");
  }

  /** Keeps what it is given. */
  private static final class Collector implements Sink {
    private final SortedMap<Bytes, Bytes> fields = new TreeMap<>();
    private final SortedSet<Bytes> members = new TreeSet<>();
    private final SortedMap<Bytes, Double> scores = new TreeMap<>();

    @Override
    public void field(byte[] name, byte[] value) {
      fields.put(Bytes.wrap(name), Bytes.wrap(value));
    }

    @Override
    public void member(byte[] member) {
      members.add(Bytes.wrap(member));
    }

    @Override
    public void score(byte[] member, double score) {
      scores.put(Bytes.wrap(member), score);
    }
  }

  /** Digests what it is given; with {@code seen}, each name once. */
  private record Digester(ValueDigest digest, @Nullable Set<Bytes> seen) implements Sink {
    private boolean isNew(byte[] name) {
      return seen == null || seen.add(Bytes.wrap(name));
    }

    @Override
    public void field(byte[] name, byte[] value) {
      if (isNew(name)) {
        digest.add(name, value);
      }
    }

    @Override
    public void member(byte[] member) {
      if (isNew(member)) {
        digest.add(member, new byte[0]);
      }
    }

    @Override
    public void score(byte[] member, double score) {
      if (isNew(member)) {
        digest.addScore(member, score);
      }
    }
  }
}
