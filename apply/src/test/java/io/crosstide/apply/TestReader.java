package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.sync.RedisCommands;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads keys of a test's Redis whole: a comparable value and the exact deadline. */
final class TestReader {
  /** Before 7.0 only the time left can be asked for: exact if the clock does not tick meanwhile. */
  private static final String DEADLINE =
      """
      local function now()
        local t = redis.call('TIME')
        return t[1] * 1000 + math.floor(t[2] / 1000)
      end
      local before, left
      repeat
        before = now()
        left = redis.call('PTTL', KEYS[1])
      until left < 0 or now() == before
      return left < 0 and -1 or before + left
      """;

  private final RedisCommands<byte[], byte[]> redis;

  TestReader(TestRedis redis) {
    this.redis = redis.commands();
  }

  /** A value is {@link Bytes}, a list, a map of fields or scores, or a set of members. */
  record Held(Object value, OptionalLong deadline) {}

  /** Leaves database 0 selected. */
  Optional<Held> read(RedisKey key) {
    byte[] name = key.name().array();
    redis.select(key.db());
    try {
      String type = redis.type(name);
      if (type.equals("none")) {
        return Optional.empty();
      }
      long deadline = redis.<Long>eval(DEADLINE, ScriptOutputType.INTEGER, new byte[][] {name});
      Object value = value(type, name);
      return value == null
          ? Optional.empty()
          : Optional.of(
              new Held(value, deadline < 0 ? OptionalLong.empty() : OptionalLong.of(deadline)));
    } finally {
      redis.select(0);
    }
  }

  /** Null if it has expired since its type was asked for. */
  private @Nullable Object value(String type, byte[] name) {
    switch (type) {
      case "string" -> {
        byte[] text = redis.get(name);
        return text == null ? null : Bytes.wrap(text);
      }
      case "hash" -> {
        Map<Bytes, Bytes> fields = new HashMap<>();
        redis
            .hgetall(name)
            .forEach((field, value) -> fields.put(Bytes.wrap(field), Bytes.wrap(value)));
        return fields;
      }
      case "list" -> {
        return redis.lrange(name, 0, -1).stream().map(Bytes::wrap).toList();
      }
      case "set" -> {
        TreeSet<Bytes> members = new TreeSet<>();
        redis.smembers(name).forEach(member -> members.add(Bytes.wrap(member)));
        return members;
      }
      case "zset" -> {
        Map<Bytes, Double> scores = new HashMap<>();
        redis
            .zrangeWithScores(name, 0, -1)
            .forEach(scored -> scores.put(Bytes.wrap(scored.getValue()), scored.getScore()));
        return scores;
      }
      default -> throw new IllegalStateException("no test writes a " + type);
    }
  }
}
