package io.crosstide.control.redis;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.api.async.RedisAsyncCommands;

/** A key of one Redis as people want to see it: long values and large collections shortened. */
public final class KeyView {
  /** Bytes of a string that are shown. */
  private static final int VALUE_BYTES_MAX = 1_024;

  /** Elements of a collection that are shown. */
  private static final int ELEMENTS_MAX = 50;

  private KeyView() {}

  /**
   * Type, deadline, size, and the beginning of the content.
   *
   * @throws RedisUnavailableException if Redis cannot be asked
   */
  public static ObjectNode of(RegionRedis redis, RedisKey key, ObjectMapper json)
      throws RedisUnavailableException {
    RedisAsyncCommands<byte[], byte[]> commands = redis.commands(key.db());
    byte[] name = key.name().array();
    ObjectNode out = json.createObjectNode();
    String type = redis.await(commands.type(name));
    out.put("type", type);
    long leftMillis = redis.await(commands.pttl(name));
    if (leftMillis >= 0) {
      out.put("expires_in_ms", leftMillis);
    }
    switch (type) {
      case "string" -> {
        out.put("size", redis.await(commands.strlen(name)));
        out.put("value", Shown.text(redis.await(commands.getrange(name, 0, VALUE_BYTES_MAX - 1))));
      }
      case "hash" -> {
        out.put("size", redis.await(commands.hlen(name)));
        ObjectNode fields = out.putObject("fields");
        redis
            .await(commands.hscan(name, ScanArgs.Builder.limit(ELEMENTS_MAX)))
            .getMap()
            .entrySet()
            .stream()
            .limit(ELEMENTS_MAX)
            .forEach(field -> fields.put(Shown.text(field.getKey()), Shown.text(field.getValue())));
      }
      case "set" -> {
        out.put("size", redis.await(commands.scard(name)));
        ArrayNode members = out.putArray("members");
        redis.await(commands.sscan(name, ScanArgs.Builder.limit(ELEMENTS_MAX))).getValues().stream()
            .limit(ELEMENTS_MAX)
            .forEach(member -> members.add(Shown.text(member)));
      }
      case "zset" -> {
        out.put("size", redis.await(commands.zcard(name)));
        ObjectNode members = out.putObject("scores");
        for (ScoredValue<byte[]> member :
            redis.await(commands.zrangeWithScores(name, 0, ELEMENTS_MAX - 1))) {
          members.put(Shown.text(member.getValue()), Content.formatScore(member.getScore()));
        }
      }
      case "stream" -> {
        out.put("size", redis.await(commands.xlen(name)));
        ObjectNode entries = out.putObject("entries");
        for (StreamMessage<byte[], byte[]> entry :
            redis.await(commands.xrange(name, Range.unbounded(), Limit.from(ELEMENTS_MAX)))) {
          ArrayNode fields = entries.putArray(entry.getId());
          entry
              .getBody()
              .forEach((field, value) -> fields.add(Shown.text(field)).add(Shown.text(value)));
        }
      }
      default -> {
        // none, and types that are not replicated: the type says it all.
      }
    }
    return out;
  }
}
