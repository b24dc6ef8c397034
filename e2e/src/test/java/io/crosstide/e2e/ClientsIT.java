package io.crosstide.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.crosstide.e2e.RegionClient.LogCounts;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What clients do besides plain commands on plain keys, and what they should better not do. */
@ExtendWith(WithRig.class)
class ClientsIT {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final int MIB = 1 << 20;

  private final SystemRig rig;
  private final RedisCommands<String, String> r1;
  private final RedisCommands<String, String> r2;
  private final String key = "c:" + Long.toHexString(ThreadLocalRandom.current().nextLong());

  ClientsIT(SystemRig rig) {
    this.rig = rig;
    this.r1 = rig.region(1).redis();
    this.r2 = rig.region(2).redis();
  }

  @BeforeEach
  void beginEqual() {
    rig.settle();
  }

  @Test
  void everyByteMayStandInKeysFieldsMembersAndValues() {
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    byte[] hash = binaryKey("hash", all);
    byte[] set = binaryKey("set", all);
    byte[] zset = binaryKey("zset", all);
    byte[] string = binaryKey("string", all);
    RedisCommands<byte[], byte[]> one = rig.region(1).bytes();
    RedisCommands<byte[], byte[]> two = rig.region(2).bytes();
    rig.cut();
    one.set(string, all);
    one.hset(hash, all, all);
    two.hset(hash, new byte[0], new byte[0]);
    two.sadd(set, all, new byte[0]);
    two.zadd(zset, -0.5, all);
    rig.settle();
    for (RegionClient region : rig.regions()) {
      RedisCommands<byte[], byte[]> redis = region.bytes();
      assertThat(redis.get(string)).isEqualTo(all);
      assertThat(redis.hget(hash, all)).isEqualTo(all);
      assertThat(redis.hget(hash, new byte[0])).isEmpty();
      assertThat(redis.sismember(set, all)).isTrue();
      assertThat(redis.sismember(set, new byte[0])).isTrue();
      assertThat(redis.zscore(zset, all)).isEqualTo(-0.5);
    }
  }

  private byte[] binaryKey(String name, byte[] bytes) {
    byte[] head = (key + name).getBytes(StandardCharsets.UTF_8);
    byte[] whole = Arrays.copyOf(head, head.length + bytes.length);
    System.arraycopy(bytes, 0, whole, head.length, bytes.length);
    return whole;
  }

  @Test
  void valuesOfAMebibyteAndLongKeysPass() {
    byte[] value = new byte[MIB];
    new Random(1).nextBytes(value);
    byte[] longKey = Arrays.copyOf((key + "long").getBytes(StandardCharsets.UTF_8), 100_000);
    byte[] hash = (key + "hash").getBytes(StandardCharsets.UTF_8);
    rig.region(1).bytes().set(longKey, value);
    rig.region(2).bytes().hset(hash, longKey, value);
    rig.settle();
    for (RegionClient region : rig.regions()) {
      assertThat(Arrays.equals(region.bytes().get(longKey), value)).as(region.name()).isTrue();
      assertThat(Arrays.equals(region.bytes().hget(hash, longKey), value)).isTrue();
    }
  }

  @Test
  void oneCommandWithManyMembersPasses() {
    String[] members = new String[20_000];
    Arrays.setAll(members, i -> "member-" + i);
    r1.sadd(key, members);
    rig.settle();
    assertThat(r2.scard(key)).isEqualTo(members.length);
    r2.del(key);
    rig.settle();
    assertThat(r1.exists(key)).isZero();
  }

  @Test
  void transactionWithinOnePartitionAppearsAtOnce() {
    String left = "{" + key + "}left";
    String right = "{" + key + "}right";
    int transactions = 500;
    try (StatefulRedisConnection<String, String> writer = rig.region(1).connection();
        StatefulRedisConnection<String, String> reader = rig.region(2).connection()) {
      CompletableFuture<Void> writing =
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < transactions; i++) {
                  writer.sync().multi();
                  writer.sync().incr(left);
                  writer.sync().hincrby(right, "n", 1);
                  writer.sync().exec();
                }
              });
      await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(1))
          .until(
              () -> {
                reader.sync().multi();
                reader.sync().get(left);
                reader.sync().hget(right, "n");
                TransactionResult seen = reader.sync().exec();
                assertThat(seen.<String>get(0)).isEqualTo(seen.<String>get(1));
                return Objects.equals(seen.get(0), Integer.toString(transactions));
              });
      writing.join();
    }
  }

  @Test
  void scriptsAreReplicatedByTheirEffects() {
    String script =
        "local n = redis.call('INCR', KEYS[1]) "
            + "for i = 1, 5 do redis.call('SADD', KEYS[2], redis.call('TIME')[2] + i) end "
            + "redis.call('HSET', KEYS[3], 'n', n) return n";
    String[] keys = {"{" + key + "}n", "{" + key + "}s", "{" + key + "}h"};
    rig.cut();
    r1.eval(script, ScriptOutputType.INTEGER, keys);
    r2.eval(script, ScriptOutputType.INTEGER, keys);
    Set<String> members = r1.smembers(keys[1]);
    members.addAll(r2.smembers(keys[1]));
    rig.settle();
    for (RegionClient region : rig.regions()) {
      assertThat(region.redis().get(keys[0])).isEqualTo("2");
      assertThat(region.redis().smembers(keys[1])).isEqualTo(members);
      assertThat(region.redis().hgetall(keys[2])).isEqualTo(Map.of("n", "1"));
    }
  }

  @Test
  void databasesAreReplicatedEachForItself() {
    try (StatefulRedisConnection<String, String> one = rig.region(1).connection();
        StatefulRedisConnection<String, String> two = rig.region(2).connection()) {
      rig.cut();
      for (int db : List.of(0, 3, 15)) {
        one.sync().select(db);
        one.sync().incrby(key, db + 1);
        two.sync().select(db);
        two.sync().incrby(key, 100);
        two.sync().sadd("only" + key, "in " + db);
      }
      rig.settle();
      for (int db : List.of(0, 3, 15)) {
        for (StatefulRedisConnection<String, String> connection : List.of(one, two)) {
          connection.sync().select(db);
          assertThat(connection.sync().get(key)).isEqualTo(Integer.toString(db + 101));
          assertThat(connection.sync().smembers("only" + key)).containsExactly("in " + db);
        }
      }
    }
  }

  @Test
  void flushAllRemovesEverywhereWhatItHadSeenAndNothingElse() {
    r1.set(key + "seen", "v");
    r1.sadd(key + "set", "seen");
    rig.settle();
    rig.cut();
    r2.set(key + "unseen", "w");
    r2.sadd(key + "set", "unseen");
    r1.flushall();
    rig.settle();
    for (RegionClient region : rig.regions()) {
      assertThat(region.redis().exists(key + "seen")).as(region.name()).isZero();
      assertThat(region.redis().get(key + "unseen")).as(region.name()).isEqualTo("w");
      assertThat(region.redis().smembers(key + "set")).as(region.name()).containsOnly("unseen");
    }
  }

  @Test
  void messagesAreHeardOnceInEveryRegion() {
    List<String> heard = new CopyOnWriteArrayList<>();
    try (StatefulRedisPubSubConnection<String, String> one = rig.region(1).listening();
        StatefulRedisPubSubConnection<String, String> two = rig.region(2).listening()) {
      for (StatefulRedisPubSubConnection<String, String> region : List.of(one, two)) {
        String name = region == one ? "1 " : "2 ";
        region.addListener(
            new RedisPubSubAdapter<>() {
              @Override
              public void message(String channel, String message) {
                heard.add(name + message);
              }
            });
        region.sync().subscribe(key);
      }
      r1.publish(key, "a");
      r1.multi();
      r1.set(key, "v");
      r1.publish(key, "b");
      r1.exec();
      r2.publish(key, "c");
      rig.settle();
      await().atMost(SOON).until(() -> heard.size() >= 6);
      assertThat(heard.stream().filter(text -> text.startsWith("1")))
          .containsExactlyInAnyOrder("1 a", "1 b", "1 c")
          .containsSubsequence("1 a", "1 b");
      assertThat(heard.stream().filter(text -> text.startsWith("2")))
          .containsExactlyInAnyOrder("2 a", "2 b", "2 c")
          .containsSubsequence("2 a", "2 b");
      assertThat(r2.get(key)).isEqualTo("v");
    }
  }

  @Test
  void whatCaptureDoesNotKeepArrivesWhole() {
    String value = "x".repeat(1_000);
    r1.set(key, value);
    rig.settle();
    r1.append(key, "y");
    r1.hset(key + "h", Map.of("long", value, "short", "v"));
    r1.rename(key + "h", key + "g");
    r1.copy(key, key + "copy");
    r1.sadd(key + "s", "a", "b");
    r2.sadd(key + "t", "b", "c");
    rig.settle();
    r2.sinterstore(key + "both", key + "s", key + "t");
    r2.setbit(key + "bits", 7, 1);
    await().atMost(SOON).until(() -> (value + "y").equals(r2.get(key + "copy")));
    await().atMost(SOON).until(() -> r2.hgetall(key + "g").size() == 2);
    rig.settle();
    assertThat(r2.get(key)).isEqualTo(value + "y");
    assertThat(r2.hget(key + "g", "long")).isEqualTo(value);
    assertThat(r2.exists(key + "h")).isZero();
    assertThat(r1.smembers(key + "both")).containsExactly("b");
    assertThat(r1.get(key + "bits")).isEqualTo("\u0001");
  }

  @Test
  void exchangedDatabasesAreExchangedEverywhere() {
    try (StatefulRedisConnection<String, String> one = rig.region(1).connection();
        StatefulRedisConnection<String, String> two = rig.region(2).connection()) {
      one.sync().select(11);
      one.sync().set(key, "x".repeat(100));
      one.sync().sadd(key + "set", "in 11");
      one.sync().select(12);
      one.sync().set(key + "set", "in 12");
      rig.settle();
      one.sync().swapdb(11, 12);
      two.sync().select(12);
      await().atMost(SOON).until(() -> "x".repeat(100).equals(two.sync().get(key)));
      rig.settle();
      assertThat(two.sync().smembers(key + "set")).containsExactly("in 11");
      two.sync().select(11);
      assertThat(two.sync().get(key + "set")).isEqualTo("in 12");
      assertThat(two.sync().exists(key)).isZero();
    }
  }

  @Test
  void replicationGoesOnAfterFlushAllTookTheMarkersAway() {
    r2.set(key, "before");
    rig.settle();
    r1.flushall();
    r2.incr(key + "n");
    r1.incr(key + "n");
    rig.settle();
    assertThat(r1.get(key + "n")).isEqualTo("2");
    r1.flushall();
    r1.flushall();
    r1.set(key, "after");
    rig.settle();
    assertThat(r2.get(key)).isEqualTo("after");
    r2.set(key, "back");
    rig.settle();
    assertThat(r1.get(key)).isEqualTo("back");
  }

  @Test
  void replicationGoesOnAfterSwapDbTookTheMarkersAwayAndBroughtOldOnesBack() {
    r2.set(key, "before");
    rig.settle();
    // There and back: the second exchange brings markers to light that are behind.
    r1.swapdb(0, 9);
    r2.incr(key + "n");
    await().atMost(SOON).until(() -> r1.exists("__ct:{0}") == 1 && "1".equals(r1.get(key + "n")));
    r1.swapdb(0, 9);
    r1.set(key + "mine", "v");
    rig.later(); // the exchange has written "before" again
    r2.set(key, "after");
    await().atMost(SOON).until(() -> "after".equals(r1.get(key)));
    await().atMost(SOON).until(() -> "v".equals(r2.get(key + "mine")));
    // An exchange is a write of everything in both: begin equal again.
    r1.flushall();
    r2.flushall();
    rig.settle();
  }

  @Test
  void whatChangesNothingIsNotPublished() {
    r1.sadd(key + "set", "m");
    r1.zadd(key + "zset", 1, "m");
    r1.hset(key + "hash", "f", "v");
    rig.settle();
    long before = rig.region(1).log().writes();
    r1.sadd(key + "set", "m");
    r1.srem(key + "set", "absent");
    r1.zadd(key + "zset", 1, "m");
    r1.hdel(key + "hash", "absent");
    r1.hsetnx(key + "hash", "f", "other");
    r1.del(key + "absent");
    r1.persist(key + "hash");
    r1.eval(
        "redis.call('SADD', KEYS[1], 'm') return redis.call('DEL', KEYS[2])",
        ScriptOutputType.INTEGER,
        key + "set",
        key + "absent");
    r1.set(key, "a write");
    rig.settle();
    assertThat(rig.region(1).log().writes()).isEqualTo(before + 1);
  }

  @Test
  void flushDbRemovesOneDatabaseOnly() {
    try (StatefulRedisConnection<String, String> one = rig.region(1).connection();
        StatefulRedisConnection<String, String> two = rig.region(2).connection()) {
      r1.set(key, "in 0");
      one.sync().select(7);
      one.sync().set(key, "in 7");
      rig.settle();
      two.sync().select(7);
      two.sync().flushdb();
      rig.settle();
      assertThat(r1.get(key)).isEqualTo("in 0");
      assertThat(one.sync().exists(key)).isZero();
    }
  }

  @Test
  void deletingReservedKeysDoesNoHarm() {
    r1.set(key, "5");
    rig.settle();
    for (int round = 1; round <= 3; round++) {
      for (int partition = 0; partition < SandboxProcess.PARTITIONS; partition++) {
        r1.del("__ct:{" + partition + "}");
      }
      r1.del("__ct:beacon");
      r1.incr(key);
      r2.incr(key);
      rig.settle();
      assertThat(r1.get(key)).isEqualTo(Integer.toString(5 + 2 * round));
    }
    for (RegionClient region : rig.regions()) {
      assertThat(region.redis().keys("__ct:{*")).hasSize(SandboxProcess.PARTITIONS);
    }
  }

  @Test
  void idleRegionsPublishHeartbeatsOnly() {
    r1.set(key, "v");
    r2.set(key, "w");
    rig.settle();
    List<LogCounts> before = rig.regions().stream().map(RegionClient::log).toList();
    await("two heartbeats per log")
        .atMost(SOON)
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () ->
                rig.regions().stream()
                    .allMatch(
                        region ->
                            region.log().controls()
                                >= before.get(region.id() - 1).controls()
                                    + 2 * SandboxProcess.PARTITIONS));
    for (RegionClient region : rig.regions()) {
      assertThat(region.log().writes())
          .as("writes in the log of " + region.name())
          .isEqualTo(before.get(region.id() - 1).writes());
    }
  }
}
