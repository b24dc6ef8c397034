package io.crosstide.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The examples of the semantics document on a whole system. Operations between two syncs are
 * concurrent: the links are cut. Each test has a key of its own, so that all share one rig.
 */
@ExtendWith(WithRig.class)
class SemanticsIT {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final SystemRig rig;
  private final RedisCommands<String, String> r1;
  private final RedisCommands<String, String> r2;
  private final RedisCommands<String, String> r3;
  private final String key = "k:" + Long.toHexString(ThreadLocalRandom.current().nextLong());

  SemanticsIT(SystemRig rig) {
    this.rig = rig;
    this.r1 = rig.region(1).redis();
    this.r2 = rig.region(2).redis();
    this.r3 = rig.region(3).redis();
  }

  @BeforeEach
  void beginEqual() {
    rig.settle();
  }

  @Test
  @DisplayName("STR-1: of concurrent SETs the later wins, then each SET is seen in turn")
  void laterOfTwoConcurrentSetsWins() {
    rig.cut();
    r1.set(key, "a");
    rig.later();
    r2.set(key, "b");
    assertThat(r1.get(key)).isEqualTo("a");
    rig.settle();
    everywhere(r -> r.get(key), "b");

    r1.set(key, "c");
    rig.settle();
    everywhere(r -> r.get(key), "c");

    rig.cut();
    r2.set(key, "d");
    assertThat(r2.get(key)).isEqualTo("d");
    assertThat(r1.get(key)).isEqualTo("c");
    rig.settle();
    everywhere(r -> r.get(key), "d");
  }

  @Test
  @DisplayName("STR-1: the later wins in whichever region it is")
  void laterSetWinsAlsoInTheRegionWithTheSmallerId() {
    rig.cut();
    r2.set(key, "b");
    rig.later();
    r1.set(key, "a");
    rig.settle();
    everywhere(r -> r.get(key), "a");
  }

  @Test
  @DisplayName("STR-2: increments that a SET has not seen are added on top of it")
  void incrementIsAddedToConcurrentSet() {
    begin(() -> r1.set(key, "5"));
    r1.set(key, "10");
    r2.incr(key);
    rig.settle();
    everywhere(r -> r.get(key), "11");
  }

  @Test
  @DisplayName("STR-3: an increment survives a DEL that has not seen it")
  void incrementSurvivesConcurrentDelete() {
    begin(() -> r1.set(key, "5"));
    r1.del(key);
    r2.incr(key);
    assertThat(r2.get(key)).isEqualTo("6");
    rig.settle();
    everywhere(r -> r.get(key), "1");
  }

  @Test
  @DisplayName("STR-4: a SET survives a DEL that has not seen it")
  void setSurvivesConcurrentDelete() {
    begin(() -> r1.set(key, "v"));
    r2.set(key, "w");
    rig.later();
    r1.del(key);
    rig.settle();
    everywhere(r -> r.get(key), "w");
  }

  @Test
  @DisplayName("STR-5: a text that wins drops increments, and one conflict is recorded")
  void textDropsConcurrentIncrementAndTheConflictIsRecorded() {
    long[] before = rig.regions().stream().mapToLong(rig::conflicts).toArray();
    rig.cut();
    r2.incrby(key, 2);
    rig.later();
    r1.set(key, "text");
    rig.settle();
    everywhere(r -> r.get(key), "text");
    for (RegionClient region : rig.regions()) {
      assertThat(rig.conflicts(region) - before[region.id() - 1])
          .as("conflicts recorded in " + region.name())
          .isEqualTo(1);
    }
  }

  /** Of several keys PFCOUNT writes nothing down. */
  private void awaitCount(long count) {
    for (RegionClient region : rig.regions()) {
      await().atMost(SOON).until(() -> region.redis().pfcount(key, key + "none") == count);
    }
  }

  @Test
  @DisplayName("HLL-1, HLL-2: HyperLogLogs count what was added in any region")
  void hyperLogLogsAreUnited() {
    r1.pfadd(key, "x");
    rig.settle();
    awaitCount(1);
    r2.pfadd(key, "y");
    rig.settle();
    awaitCount(2);
    rig.cut();
    r1.pfadd(key, "z");
    r2.pfadd(key, "v", "w");
    rig.settle();
    awaitCount(5);
  }

  @Test
  @DisplayName("HLL-3: a PFADD beside a DEL keeps what its Redis had counted")
  void aHyperLogLogWrittenBesideItsDeleteStays() {
    r1.pfadd(key, "e1");
    rig.settle();
    awaitCount(1);
    rig.cut();
    r1.pfadd(key, "e2");
    r2.del(key);
    rig.settle();
    awaitCount(2);
  }

  @Test
  @DisplayName("CNT-1: all increments add up")
  void incrementsAddUp() {
    rig.cut();
    r1.incrby(key, 7);
    r2.incrby(key, 3);
    assertThat(r1.get(key)).isEqualTo("7");
    assertThat(r2.get(key)).isEqualTo("3");
    rig.settle();
    everywhere(r -> r.get(key), "10");

    rig.cut();
    r1.decrby(key, 3);
    r2.incrby(key, 6);
    rig.settle();
    everywhere(r -> r.get(key), "13");
  }

  @Test
  @DisplayName("CNT-2: 1,000 INCR in each of three regions during a cut make 3,000")
  void allIncrementsOfACutAreCounted() {
    rig.cut();
    rig.regions().forEach(region -> region.pipeline(1_000, redis -> redis.incr(key)));
    everywhere(r -> r.get(key), "1000");
    rig.settle();
    everywhere(r -> r.get(key), "3000");
  }

  @Test
  @DisplayName("CNT-2: and as many while all links are up")
  void allIncrementsAreCountedWhileTheyAreExchanged() {
    for (int round = 0; round < 4; round++) {
      rig.regions().forEach(region -> region.pipeline(250, redis -> redis.incr(key)));
    }
    rig.settle();
    everywhere(r -> r.get(key), "3000");
  }

  @Test
  @DisplayName("CNT-2: 10,000 INCR in each of three regions during a cut make 30,000")
  void thirtyThousandIncrementsAreAllCounted() {
    rig.cut();
    rig.regions().forEach(region -> region.pipeline(10_000, redis -> redis.incr(key)));
    everywhere(r -> r.get(key), "10000");
    rig.settle();
    everywhere(r -> r.get(key), "30000");
  }

  @Test
  @DisplayName("HASH-1: different fields are both kept")
  void concurrentPutsOfDifferentFieldsAreBothKept() {
    rig.cut();
    r1.hset(key, "f1", "a");
    r2.hset(key, "f2", "b");
    rig.settle();
    everywhere(r -> r.hgetall(key), Map.of("f1", "a", "f2", "b"));
  }

  @Test
  @DisplayName("HASH-2: a put survives a HDEL that has not seen it")
  void putSurvivesConcurrentRemovalOfTheField() {
    begin(() -> r1.hset(key, "f", "old"));
    r2.hset(key, "f", "v");
    rig.later();
    r1.hdel(key, "f");
    rig.settle();
    everywhere(r -> r.hgetall(key), Map.of("f", "v"));
  }

  @Test
  @DisplayName("HASH-3: increments of one field add up")
  void incrementsOfOneFieldAddUp() {
    begin(() -> r1.hset(key, "n", "100"));
    r1.hincrby(key, "n", 2);
    r2.hincrby(key, "n", 3);
    rig.settle();
    everywhere(r -> r.hget(key, "n"), "105");
  }

  @Test
  @DisplayName("HASH-4: of puts of one field the later wins")
  void laterPutOfOneFieldWins() {
    rig.cut();
    r2.hset(key, "f", "b");
    rig.later();
    r1.hset(key, "f", "a");
    rig.settle();
    everywhere(r -> r.hget(key, "f"), "a");
  }

  @Test
  @DisplayName("SET-1: members added beside each other are all kept")
  void concurrentAddsAreAllKept() {
    rig.cut();
    r1.sadd(key, "a");
    r2.sadd(key, "b");
    rig.settle();
    everywhere(r -> r.smembers(key), java.util.Set.of("a", "b"));
  }

  @Test
  @DisplayName("SET-2: a SREM removes only what it has seen")
  void addWinsOverARemovalThatHasNotSeenIt() {
    begin(() -> r1.sadd(key, "a", "b"));
    assertThat(r1.srem(key, "a")).isEqualTo(1);
    assertThat(r1.srem(key, "c")).isZero();
    r2.sadd(key, "c");
    rig.settle();
    everywhere(r -> r.smembers(key), java.util.Set.of("b", "c"));
  }

  @Test
  @DisplayName("SET-3: a member added survives a DEL of the set that has not seen it")
  void memberSurvivesConcurrentDeleteOfTheSet() {
    begin(() -> r1.sadd(key, "e1"));
    r1.sadd(key, "e2");
    r2.del(key);
    assertThat(r1.scard(key)).isEqualTo(2);
    assertThat(r2.exists(key)).isZero();
    rig.settle();
    everywhere(r -> r.smembers(key), java.util.Set.of("e2"));
  }

  @Test
  @DisplayName("ZSET-1: members are ordered by score wherever they were added")
  void membersOfBothRegionsAreOrderedByScore() {
    r1.zadd(key, 1.1, "x");
    rig.settle();
    r2.zadd(key, 1.2, "y");
    rig.settle();
    everywhere(r -> r.zrange(key, 0, -1), java.util.List.of("x", "y"));
  }

  @Test
  @DisplayName("ZSET-2: of scores given to one member the later wins")
  void laterScoreWins() {
    rig.cut();
    r1.zadd(key, 1.1, "x");
    rig.later();
    r2.zadd(key, 2.1, "x");
    rig.settle();
    everywhere(r -> r.zscore(key, "x"), 2.1);
  }

  @Test
  @DisplayName("ZSET-4: increments of one score add up")
  void incrementsOfOneScoreAddUp() {
    begin(() -> r1.zadd(key, 1.1, "x"));
    r1.zincrby(key, 1.0, "x");
    r2.zincrby(key, 1.0, "x");
    rig.settle();
    everywhere(r -> r.zscore(key, "x"), 3.1);
  }

  @Test
  @DisplayName("ZSET-5: an increment survives a ZREM that has not seen it")
  void incrementSurvivesConcurrentRemovalOfTheMember() {
    begin(() -> r1.zadd(key, 4.1, "x"));
    r1.zrem(key, "x");
    r2.zincrby(key, 2.0, "x");
    assertThat(r1.zscore(key, "x")).isNull();
    assertThat(r2.zscore(key, "x")).isEqualTo(6.1);
    rig.settle();
    everywhere(r -> r.zscore(key, "x"), 2.0);
  }

  @Test
  @DisplayName("LIST-1, LIST-2: pushes and insertions stand in the same order everywhere")
  void listElementsHaveOneOrder() {
    r1.lpush(key, "hello");
    rig.settle();
    r2.lpush(key, "world");
    rig.settle();
    everywhere(r -> r.lrange(key, 0, -1), List.of("world", "hello"));

    rig.cut();
    r1.linsert(key, false, "world", "y1");
    r2.linsert(key, false, "world", "y2");
    rig.settle();
    List<String> merged = r1.lrange(key, 0, -1);
    assertThat(merged).startsWith("world").endsWith("hello").contains("y1", "y2").hasSize(4);
    everywhere(r -> r.lrange(key, 0, -1), merged);
  }

  @Test
  @DisplayName("LIST-3: a push survives a delete that had not seen it")
  void pushSurvivesConcurrentDelete() {
    r1.lpush(key, "x");
    rig.settle();
    rig.cut();
    r1.lpush(key, "y");
    r2.del(key);
    rig.settle();
    everywhere(r -> r.lrange(key, 0, -1), List.of("y"));
  }

  @Test
  @DisplayName("LIST-4: an element popped in two regions is popped once")
  void elementPoppedTwiceTakesNothingElseAlong() {
    r1.lpush(key, "x", "y", "z");
    rig.settle();
    assertThat(r2.rpop(key)).isEqualTo("x");
    rig.settle();
    assertThat(r1.rpop(key)).isEqualTo("y");
    rig.settle();
    rig.cut();
    assertThat(r1.rpop(key)).isEqualTo("z");
    assertThat(r2.rpop(key)).isEqualTo("z");
    rig.settle();
    everywhere(r -> r.exists(key), 0L);
  }

  @Test
  @DisplayName("LIST-5: a thousand pushes in each of two regions keep their order")
  void manyConcurrentPushesKeepTheirOrder() {
    rig.cut();
    for (int i = 0; i < 1_000; i++) {
      r1.rpush(key, "a" + i);
      r2.rpush(key, "b" + i);
    }
    rig.settle();
    List<String> merged = r1.lrange(key, 0, -1);
    assertThat(merged).hasSize(2_000);
    for (String region : List.of("a", "b")) {
      List<String> own = merged.stream().filter(value -> value.startsWith(region)).toList();
      assertThat(own).isEqualTo(IntStream.range(0, 1_000).mapToObj(i -> region + i).toList());
    }
    everywhere(r -> r.lrange(key, 0, -1), merged);
  }

  @Test
  @DisplayName("TTL-1: of concurrent deadlines the longest wins")
  void longestOfConcurrentDeadlinesWins() {
    begin(() -> r1.set(key, "v"));
    r2.expire(key, 500);
    rig.later();
    r1.expire(key, 100);
    rig.settle();
    assertThat(r1.ttl(key)).isBetween(400L, 500L);
    everywhere(r -> r.pexpiretime(key), r1.pexpiretime(key));
  }

  @Test
  @DisplayName("TTL-2: PERSIST beats every deadline it has not seen")
  void persistBeatsConcurrentDeadlines() {
    begin(() -> r1.set(key, "v", SetArgs.Builder.ex(1_000)));
    r3.persist(key);
    rig.later();
    r1.expire(key, 100);
    r2.expire(key, 500);
    rig.settle();
    everywhere(r -> r.ttl(key), -1L);
    everywhere(r -> r.get(key), "v");
  }

  @Test
  @DisplayName("TTL-3: a key extended in one region lives, though others expired it during a cut")
  void extensionBeatsConcurrentExpiry() {
    r1.set(key, "v", SetArgs.Builder.px(4_000));
    awaitEverywhere("v");
    rig.cut();
    r2.expire(key, 500);
    awaitGone(r1);
    awaitGone(r3);
    rig.settle();
    everywhere(r -> r.get(key), "v");
    assertThat(r1.ttl(key)).isBetween(400L, 500L);
    everywhere(r -> r.pexpiretime(key), r2.pexpiretime(key));
  }

  @Test
  @DisplayName("TTL-4: of a set that expires beside a SADD only the new member lives")
  void onlyTheMemberAddedBesideAnExpiryLives() {
    r1.sadd(key, "old");
    r1.pexpire(key, 4_000);
    await().atMost(SOON).until(() -> r2.pttl(key) > 0 && r3.pttl(key) > 0);
    rig.cut();
    awaitGone(r1);
    r2.sadd(key, "new");
    rig.settle();
    everywhere(r -> r.smembers(key), java.util.Set.of("new"));
    everywhere(r -> r.ttl(key), -1L);
  }

  @Test
  @DisplayName("TTL-6: a lock renewed in one region is not deleted by another's expiry")
  void renewedLockIsNotDeletedByExpiryOfItsOldDeadline() {
    r1.set(key, "token", SetArgs.Builder.nx().px(4_000));
    awaitEverywhere("token");
    rig.cut();
    Long renewed =
        r2.eval(
            "if redis.call('GET', KEYS[1]) == ARGV[1] then"
                + " return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0",
            ScriptOutputType.INTEGER,
            new String[] {key},
            "token",
            "500000");
    assertThat(renewed).isEqualTo(1);
    awaitGone(r1);
    rig.settle();
    everywhere(r -> r.get(key), "token");
    everywhere(r -> r.pexpiretime(key), r2.pexpiretime(key));
  }

  @Test
  @DisplayName("a key that nobody extends expires in all regions")
  void keyExpiresEverywhereAtItsDeadline() {
    r1.set(key, "v", SetArgs.Builder.px(3_000));
    awaitEverywhere("v");
    awaitGone(r1);
    awaitGone(r2);
    awaitGone(r3);
    rig.settle();
    everywhere(r -> r.exists(key), 0L);
  }

  @Test
  @DisplayName("SETs of the same instant, with no cut, are not swapped between regions")
  void setsOfTheSameInstantAreNotSwapped() {
    int keys = 500;
    CompletableFuture<Void> other = CompletableFuture.runAsync(() -> setEach(rig.region(2), keys));
    setEach(rig.region(1), keys);
    other.join();
    rig.settle();
    for (int i = 0; i < keys; i++) {
      String seen = r1.get(key + i);
      assertThat(seen).isIn("from " + rig.region(1).name(), "from " + rig.region(2).name());
      assertThat(r2.get(key + i)).as(key + i).isEqualTo(seen);
      assertThat(r3.get(key + i)).as(key + i).isEqualTo(seen);
    }
  }

  private void setEach(RegionClient region, int keys) {
    for (int i = 0; i < keys; i++) {
      region.redis().set(key + i, "from " + region.name());
    }
  }

  @Test
  @DisplayName("a deleted key does not come back when a region returns")
  void deletedKeyDoesNotComeBack() {
    r1.sadd(key, "a", "b");
    rig.settle();
    rig.cut(rig.region(1), rig.region(3));
    rig.cut(rig.region(2), rig.region(3));
    r1.del(key);
    await().atMost(SOON).until(() -> r2.exists(key) == 0);
    assertThat(r3.scard(key)).isEqualTo(2);
    rig.settle();
    everywhere(r -> r.exists(key), 0L);
  }

  @Test
  @DisplayName("a cut peer does not stop replication among the rest")
  void cutPeerDoesNotStopTheOthers() {
    rig.cut(rig.region(1), rig.region(3));
    rig.cut(rig.region(2), rig.region(3));
    r1.set(key, "1");
    await().atMost(SOON).until(() -> "1".equals(r2.get(key)));
    r2.incr(key);
    await().atMost(SOON).until(() -> "2".equals(r1.get(key)));
    assertThat(r3.get(key)).isNull();
    rig.settle();
    everywhere(r -> r.get(key), "2");
  }

  @Test
  @DisplayName("two types for one key: the newest write is visible, everywhere the same")
  void newestTypeIsVisible() {
    rig.cut();
    r1.sadd(key, "member");
    rig.later();
    r2.set(key, "text");
    rig.settle();
    everywhere(r -> r.type(key), "string");
    everywhere(r -> r.get(key), "text");
  }

  /** Runs what all regions have in common, waits until they have it, then cuts all links. */
  private void begin(Runnable common) {
    common.run();
    rig.settle();
    rig.cut();
  }

  private void awaitEverywhere(String value) {
    await()
        .atMost(SOON)
        .until(() -> rig.regions().stream().allMatch(r -> value.equals(r.redis().get(key))));
  }

  private void awaitGone(RedisCommands<String, String> redis) {
    await().atMost(SOON).until(() -> redis.exists(key) == 0);
  }

  private <T> void everywhere(Function<RedisCommands<String, String>, T> reading, T expected) {
    for (RegionClient region : rig.regions()) {
      assertThat(reading.apply(region.redis()))
          .as(() -> key + " in " + region.name() + "\n" + rig.explain(key))
          .isEqualTo(expected);
    }
  }
}
