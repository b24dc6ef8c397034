package io.crosstide.cli.bench;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes the commands of a {@link Load}, keys drawn evenly. Every write changes something, so that
 * each is one change event. Not thread-safe.
 */
final class CommandSource {
  /** Different values kept ready; making one costs more than sending it. */
  private static final int VALUES = 512;

  private static final String[] WORDS = {
    "order", "basket", "visitor", "session", "amsterdam", "virginia", "mumbai", "pending",
    "delivered", "invoice", "premium", "basic", "mobile", "desktop", "checkout", "returning"
  };

  private final List<CommandKind> mix;
  private final int keys;
  private final int valueBytes;
  private final String tag;
  private final SplittableRandom random;
  private final byte[][] values = new byte[VALUES][];
  private long count;

  /**
   * @param tag makes members of different writers differ
   */
  CommandSource(Load load, String tag, long seed) {
    this.mix = load.mix();
    this.keys = load.keys();
    this.valueBytes = load.valueBytes();
    this.tag = tag;
    this.random = new SplittableRandom(seed);
    for (int i = 0; i < VALUES; i++) {
      values[i] = jsonOf(load.valueBytes());
    }
  }

  RedisFuture<?> next(RedisAsyncCommands<byte[], byte[]> commands) {
    count++;
    CommandKind kind = mix.size() == 1 ? mix.get(0) : mix.get(random.nextInt(mix.size()));
    int number = random.nextInt(keys);
    byte[] key = ascii("bench:" + kind.word() + ":" + number);
    return switch (kind) {
      case SET -> commands.set(key, value());
      case INCR -> commands.incr(key);
      case HSET -> commands.hset(key, ascii("f" + random.nextInt(10)), value());
      case SADD -> commands.sadd(key, ascii(tag + count));
      case ZADD -> commands.zadd(key, (double) count, ascii("m" + random.nextInt(100)));
    };
  }

  /** A value that differs from all others in its first bytes. */
  private byte[] value() {
    byte[] value = values[random.nextInt(VALUES)].clone();
    byte[] number = ascii("{\"n\":" + count);
    System.arraycopy(number, 0, value, 0, Math.min(number.length, valueBytes));
    return value;
  }

  /** Text that compresses as JSON documents do: names repeat, values do not. */
  private byte[] jsonOf(int bytes) {
    StringBuilder json = new StringBuilder("{\"n\":0000000000");
    while (json.length() < bytes) {
      json.append(",\"")
          .append(WORDS[random.nextInt(WORDS.length)])
          .append("\":\"")
          .append(WORDS[random.nextInt(WORDS.length)])
          .append(Integer.toHexString(random.nextInt()))
          .append('"');
    }
    json.setLength(Math.max(0, bytes - 1));
    return ascii(json.append('}').substring(0, bytes));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
