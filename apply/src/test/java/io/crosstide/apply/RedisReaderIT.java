package io.crosstide.apply;

import static io.crosstide.apply.TestRedis.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.apply.TestRedis.Version;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.api.sync.RedisCommands;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What is read back is what Redis holds, whatever its size and encoding. */
@ParameterizedClass
@MethodSource("versions")
class RedisReaderIT {
  private static final byte[] BINARY = {0, (byte) 0xff, '\r', '\n'};

  private final Version version;
  @TempDir Path directory;
  private TestRedis redis;
  private RegionRedis region;
  private RedisReader reader;

  RedisReaderIT(Version version) {
    this.version = version;
  }

  static Iterable<Version> versions() {
    return Version.available().toList();
  }

  @BeforeEach
  void start() throws IOException {
    redis = TestRedis.start(version, directory);
    region =
        new RegionRedis(
            ApplyConfig.of("test", redis.endpoint()),
            new ApplyMetrics(new SimpleMeterRegistry(), "test"));
    reader = region.openReader();
  }

  @AfterEach
  void stop() {
    reader.close();
    region.close();
    redis.close();
  }

  private RedisValue value(String key) {
    return reader.read(RedisKey.of(0, key)).orElseThrow().value();
  }

  private Map<RedisKey, KeySummary> scan() {
    Map<RedisKey, KeySummary> all = new TreeMap<>();
    reader.scan(summary -> all.put(summary.key(), summary));
    return all;
  }

  @Test
  void everyTypeIsReadCompletelyBinaryIncluded() {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    commands.set(bytes("s"), BINARY);
    commands.hset(bytes("h"), BINARY, BINARY);
    commands.hset(bytes("h"), bytes("f"), bytes("v"));
    commands.sadd(bytes("m"), BINARY, bytes("x"));
    commands.zadd(bytes("z"), 0.1, bytes("x"));
    commands.zadd(bytes("z"), Double.NEGATIVE_INFINITY, BINARY);

    TreeMap<Bytes, Bytes> fields = new TreeMap<>();
    fields.put(Bytes.wrap(BINARY), Bytes.wrap(BINARY));
    fields.put(Bytes.utf8("f"), Bytes.utf8("v"));
    TreeSet<Bytes> members = new TreeSet<>();
    members.add(Bytes.wrap(BINARY));
    members.add(Bytes.utf8("x"));
    TreeMap<Bytes, Double> scores = new TreeMap<>();
    scores.put(Bytes.utf8("x"), 0.1);
    scores.put(Bytes.wrap(BINARY), Double.NEGATIVE_INFINITY);
    assertThat(value("s")).isEqualTo(new RedisValue.Text(Bytes.wrap(BINARY)));
    assertThat(value("h")).isEqualTo(new RedisValue.Fields(fields));
    assertThat(value("m")).isEqualTo(new RedisValue.Members(members));
    assertThat(value("z")).isEqualTo(new RedisValue.Scores(scores));
  }

  @Test
  void absentAndReservedKeysAreNotThere() {
    redis.commands().set(bytes("__ct:beacon"), bytes("1"));
    assertThat(reader.read(RedisKey.of(0, "none"))).isEmpty();
    assertThat(reader.read(RedisKey.of(0, "__ct:beacon"))).isEmpty();
    assertThat(reader.summarise(RedisKey.of(0, "__ct:beacon"))).isEmpty();
    assertThat(scan()).isEmpty();
  }

  @Test
  void deadlinesAreReadToTheMillisecond() {
    for (int i = 0; i < 200; i++) {
      redis.commands().set(bytes("k" + i), bytes("v"));
      redis.commands().pexpireat(bytes("k" + i), BatchGenerator.FAR + i);
    }
    Map<RedisKey, KeySummary> all = scan();
    for (int i = 0; i < 200; i++) {
      KeySummary summary = all.get(RedisKey.of(0, "k" + i));
      assertThat(summary == null ? null : summary.deadline())
          .isEqualTo(OptionalLong.of(BatchGenerator.FAR + i));
    }
  }

  @Test
  void theDigestDependsOnTheValueAndNotOnItsEncodingOrOrder() {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    for (String setting :
        new String[] {
          "hash-max-ziplist-entries", "zset-max-ziplist-entries", "set-max-intset-entries"
        }) {
      commands.configSet(setting, "512");
    }
    fill("a", false);
    Map<RedisKey, KeySummary> compact = scan();
    for (String setting :
        new String[] {
          "hash-max-ziplist-entries", "zset-max-ziplist-entries", "set-max-intset-entries"
        }) {
      commands.configSet(setting, "0");
    }
    fill("b", true);
    Map<RedisKey, KeySummary> all = scan();
    for (String kind : new String[] {"s", "h", "m", "z"}) {
      assertThat(digest(compact, "a" + kind)).as(kind).isEqualTo(digest(all, "b" + kind));
    }
    commands.hset(bytes("bh"), bytes("1"), bytes("other"));
    commands.srem(bytes("bm"), bytes("1"));
    commands.zadd(bytes("bz"), 99, bytes("1"));
    commands.append(bytes("bs"), bytes("x"));
    Map<RedisKey, KeySummary> changed = scan();
    for (String kind : new String[] {"s", "h", "m", "z"}) {
      assertThat(digest(compact, "a" + kind)).as(kind).isNotEqualTo(digest(changed, "b" + kind));
    }
  }

  private static Bytes digest(Map<RedisKey, KeySummary> summaries, String key) {
    KeySummary summary = summaries.get(RedisKey.of(0, key));
    if (summary == null) {
      throw new AssertionError("the scan did not see " + key);
    }
    return summary.digest();
  }

  private void fill(String prefix, boolean backwards) {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    commands.set(bytes(prefix + "s"), bytes("12345"));
    for (int n = 0; n < 100; n++) {
      int i = backwards ? 99 - n : n;
      commands.hset(bytes(prefix + "h"), bytes("" + i), bytes("v" + i));
      commands.sadd(bytes(prefix + "m"), bytes("" + i));
      commands.zadd(bytes(prefix + "z"), i / 10.0, bytes("" + i));
    }
  }

  @Test
  void largeValuesAreReadInPiecesToTheSameResult() {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    byte[] large = new byte[5 * 1024 * 1024 + 17];
    new Random(7).nextBytes(large);
    commands.set(bytes("s"), large);
    for (int from = 0; from < 20_000; from += 1000) {
      byte[][] members = new byte[1000][];
      Object[] scores = new Object[2000];
      for (int i = 0; i < 1000; i++) {
        int n = from + i;
        commands.hset(bytes("h"), bytes("field" + n), bytes("value" + n));
        members[i] = bytes("member" + n);
        scores[2 * i] = n / 4.0;
        scores[2 * i + 1] = bytes("member" + n);
      }
      commands.sadd(bytes("m"), members);
      commands.zadd(bytes("z"), scores);
    }
    assertThat(value("s")).isEqualTo(new RedisValue.Text(Bytes.wrap(large)));
    assertThat(((RedisValue.Fields) value("h")).fields()).hasSize(20_000);
    assertThat(((RedisValue.Members) value("m")).members()).hasSize(20_000);
    assertThat(((RedisValue.Scores) value("z")).scores())
        .hasSize(20_000)
        .containsEntry(Bytes.utf8("member19999"), 19999 / 4.0);
    Map<RedisKey, KeySummary> all = scan();
    assertThat(all).hasSize(4);
    for (String key : new String[] {"s", "h", "m", "z"}) {
      KeySummary summary = reader.read(RedisKey.of(0, key)).orElseThrow().summary();
      assertThat(all.get(RedisKey.of(0, key))).isEqualTo(summary);
      assertThat(reader.summarise(RedisKey.of(0, key))).contains(summary);
    }
  }

  @Test
  void aScanSeesEveryKeyOfEveryDatabase() {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    Random random = new Random(3);
    for (int db : new int[] {0, 2, 15}) {
      commands.select(db);
      for (int i = 0; i < 1500; i++) {
        commands.set(bytes("k" + i), bytes("v" + random.nextInt()));
      }
    }
    commands.select(0);
    commands.hset(bytes(MarkerState.key(0)), bytes("e"), bytes("1"));
    Map<RedisKey, KeySummary> all = scan();
    assertThat(all).hasSize(4500);
    assertThat(reader.databases()).containsOnlyKeys(0, 2, 15).containsEntry(0, 1501L);
    TreeSet<RedisKey> keys = new TreeSet<>();
    reader.scanKeys(keys::add);
    assertThat(keys).isEqualTo(all.keySet());
    RedisKey sample = RedisKey.of(15, "k77");
    assertThat(all.get(sample)).isEqualTo(reader.read(sample).orElseThrow().summary());
  }

  @Test
  void aTypeThatIsNotReplicatedIsNamed() {
    redis.commands().rpush(bytes("l"), bytes("x"));
    assertThat(value("l")).isEqualTo(new RedisValue.Unsupported("list"));
    assertThat(scan()).hasSize(1);
  }

  @Test
  void theMarkerIsReadAsItIs() {
    assertThat(reader.marker(Batches.PARTITION)).isNull();
    ScriptRunner scripts = new ScriptRunner(redis);
    scripts.install(Batches.PARTITION, MarkerState.initial(4));
    assertThat(reader.marker(Batches.PARTITION)).isEqualTo(MarkerState.initial(4));
    redis.commands().set(bytes(MarkerState.key(Batches.PARTITION)), bytes("taken"));
    assertThat(reader.marker(Batches.PARTITION)).isNull();
  }
}
