package io.crosstide.control.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs against the Redis on PATH (7.0 or later) and the embedded one (6.2). */
class KeyImageReaderIT {
  @TempDir Path directory;
  private final RedisClient client = RedisClient.create();
  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void equalContentGivesEqualImagesWhateverItsEncodingAndOrder(boolean old) throws Exception {
    RegionRedis a = redis("a", old);
    RegionRedis b = redis("b", old);
    RedisCommands<byte[], byte[]> inA = commands(a);
    RedisCommands<byte[], byte[]> inB = commands(b);
    List<byte[]> names = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      names.add(bytes("m" + i));
    }
    for (int i = 0; i < names.size(); i++) {
      byte[] forward = names.get(i);
      byte[] backward = names.get(names.size() - 1 - i);
      inA.sadd(bytes("set"), forward);
      inB.sadd(bytes("set"), backward);
      inA.hset(bytes("hash"), forward, bytes("v"));
      inB.hset(bytes("hash"), backward, bytes("v"));
      inA.zadd(bytes("zset"), 3.1, forward);
      inB.zadd(bytes("zset"), 3.1, backward);
    }
    // b reached its small hash by way of a large encoding, a directly.
    inA.hset(bytes("small"), bytes("f"), bytes("v"));
    inB.hset(bytes("small"), bytes("f"), new byte[10_000]);
    inB.hset(bytes("small"), bytes("f"), bytes("v"));
    inA.set(bytes("number"), bytes("17"));
    inB.set(bytes("number"), bytes("16"));
    inB.incr(bytes("number"));

    assertThat(images(b)).isEqualTo(images(a)).hasSize(5);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyKindOfDifferenceShows(boolean old) throws Exception {
    RegionRedis redis = redis("a", old);
    RedisCommands<byte[], byte[]> commands = commands(redis);
    Set<KeyImage> seen = new HashSet<>();
    List<Runnable> states =
        List.of(
            () -> commands.set(bytes("k"), bytes("a")),
            () -> commands.set(bytes("k"), bytes("b")),
            () -> commands.set(bytes("k"), new byte[3 << 20]),
            () -> commands.setrange(bytes("k"), (3 << 20) - 1, bytes("x")),
            () -> commands.pexpireat(bytes("k"), 4_000_000_000_000L),
            () -> commands.del(bytes("k")),
            () -> commands.sadd(bytes("k"), bytes("a")),
            () -> commands.sadd(bytes("k"), bytes("b")),
            () -> replace(commands, () -> commands.hset(bytes("k"), bytes("ab"), bytes("c"))),
            () -> replace(commands, () -> commands.hset(bytes("k"), bytes("a"), bytes("bc"))),
            () -> replace(commands, () -> commands.zadd(bytes("k"), 1, bytes("a"))),
            () -> commands.zadd(bytes("k"), 1.5, bytes("a")),
            () -> commands.zadd(bytes("k"), Double.POSITIVE_INFINITY, bytes("a")),
            () -> replace(commands, () -> commands.rpush(bytes("k"), bytes("a"))),
            () -> commands.rpush(bytes("k"), bytes("b")),
            () -> replace(commands, () -> commands.rpush(bytes("k"), bytes("b"), bytes("a"))),
            () -> commands.rpush(bytes("k"), bytes("a")));
    int expected = 0;
    for (Runnable state : states) {
      state.run();
      seen.add(
          new KeyImageReader(redis)
              .images(0, List.of(bytes("k")))
              .getOrDefault(RedisKey.of(0, "k"), KeyImage.ABSENT));
      expected++;
      assertThat(seen).as("after state %s", expected).hasSize(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void imagesFromMergedStateEqualThoseOfRedis(boolean old) throws Exception {
    RegionRedis redis = redis("a", old);
    RedisCommands<byte[], byte[]> commands = commands(redis);
    byte[] large = new byte[2 << 20];
    new Random(7).nextBytes(large);
    commands.set(bytes("large"), large, SetArgs.Builder.pxAt(4_000_000_000_000L));
    KeyImage.Builder builder = new KeyImage.Builder();
    for (int i = 0; i < 5_000; i++) {
      commands.hset(bytes("hash"), bytes("f" + i), bytes("v" + i));
      builder.add(Bytes.utf8("f" + i), Content.utf8("v" + i));
    }
    KeyImage hash = builder.image("hash", 0);
    builder.reset();
    for (int i = 0; i < 2_000; i++) {
      commands.rpush(bytes("list"), bytes("v" + i % 7));
      builder.addNext(Content.utf8("v" + i % 7));
    }
    KeyImage list = builder.image("list", 0);
    builder.reset().add(Bytes.EMPTY, Content.digest(Content.of(Bytes.wrap(large)).sha1()));
    KeyImage string = builder.image("string", 4_000_000_000_000L);

    Map<RedisKey, KeyImage> images = images(redis);

    assertThat(images.get(RedisKey.of(0, "hash"))).isEqualTo(hash);
    assertThat(images.get(RedisKey.of(0, "list"))).isEqualTo(list);
    KeyImage image = images.getOrDefault(RedisKey.of(0, "large"), KeyImage.ABSENT);
    long tolerance = new KeyImageReader(redis).deadlineToleranceMillis();
    assertThat(image.matches(string, tolerance)).as("%s, %s", image, string).isTrue();
    assertThat(tolerance == 0).isNotEqualTo(old);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void scanShowsAllKeysOfADatabaseButTheReserved(boolean old) throws Exception {
    RegionRedis redis = redis("a", old);
    RedisCommands<byte[], byte[]> commands = commands(redis);
    commands.set(bytes("__ct:beacon"), bytes("1"));
    commands.select(5);
    for (int i = 0; i < 5_000; i++) {
      commands.set(bytes("k" + i), bytes("v"));
    }
    KeyImageReader reader = new KeyImageReader(redis);
    Set<RedisKey> keys = new HashSet<>();

    reader.scan(5, names -> names.forEach(name -> keys.add(new RedisKey(5, Bytes.wrap(name)))));
    reader.scan(0, names -> assertThat(names).isEmpty());

    assertThat(keys).hasSize(5_000);
    RedisInfo keyspace = RedisInfo.of(redis, "keyspace");
    assertThat(keyspace.databases()).containsExactly(0, 5);
    assertThat(keyspace.keys(5)).isEqualTo(5_000);
  }

  private static void replace(RedisCommands<byte[], byte[]> commands, Runnable next) {
    commands.del(bytes("k"));
    next.run();
  }

  private static Map<RedisKey, KeyImage> images(RegionRedis redis)
      throws RedisUnavailableException {
    KeyImageReader reader = new KeyImageReader(redis);
    Map<RedisKey, KeyImage> all = new HashMap<>();
    reader.scan(0, names -> all.putAll(reader.images(0, names)));
    return all;
  }

  private RegionRedis redis(String name, boolean old) {
    RedisBinary binary =
        old
            ? RedisBinary.embedded(directory.resolve("bin"))
            : RedisBinary.find(null, directory.resolve("bin"));
    RedisProcess process =
        new RedisProcess(new RedisConfig(binary, directory.resolve(name), Ports.free(), false))
            .start();
    opened.add(process);
    process.awaitReady(Duration.ofSeconds(20));
    RegionRedis redis = new RegionRedis(name, RedisURI.create(process.uri()), client);
    opened.add(0, redis);
    return redis;
  }

  private RedisCommands<byte[], byte[]> commands(RegionRedis redis) {
    StatefulRedisConnection<byte[], byte[]> connection =
        client.connect(ByteArrayCodec.INSTANCE, redis.uri());
    opened.add(0, connection);
    return connection.sync();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
