package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What an operation on one member costs does not depend on how many there are: counted in rows and
 * bytes of rows, and in effects sent, not in time.
 */
class LargeCollectionTest {
  private static final int SMALL = 10;
  private static final int LARGE = 10_000;

  /** What the issue asks for, over a collection of ten. */
  private static final double RATIO_MAX = 1.2;

  static Stream<Arguments> types() {
    return Stream.of(
        type("hash", i -> new Change.HashPut(name(i), Bytes.utf8("value"))),
        type("set", i -> new Change.SetAdd(name(i))),
        type("zset", i -> new Change.ZsetPut(name(i), i)));
  }

  private static Arguments type(String type, IntFunction<Change> change) {
    return Arguments.of(type, change);
  }

  /** Of one length, so that bytes can be compared. */
  private static Bytes name(int i) {
    return Bytes.utf8(String.format("member-%07d", i));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("types")
  void aRemoteChangeOfOneMemberCostsTheSame(String type, IntFunction<Change> change) {
    Cost small = new Site(SMALL, change).remote(change.apply(SMALL / 2));
    Cost large = new Site(LARGE, change).remote(change.apply(SMALL / 2));
    large.isAtMost(small);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("types")
  void aLocalChangeOfOneMemberCostsTheSame(String type, IntFunction<Change> change) {
    Cost small = new Site(SMALL, change).local(change.apply(SMALL / 2));
    Cost large = new Site(LARGE, change).local(change.apply(SMALL / 2));
    large.isAtMost(small);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("types")
  void aNewMemberCostsTheSame(String type, IntFunction<Change> change) {
    Cost small = new Site(SMALL, change).remote(change.apply(LARGE + 1));
    Cost large = new Site(LARGE, change).remote(change.apply(LARGE + 1));
    large.isAtMost(small);
  }

  /** What one operation did. */
  private record Cost(long rows, long bytes, long effects) {
    void isAtMost(Cost small) {
      assertThat(small.rows).as("the measuring measures").isPositive();
      assertThat(small.bytes).isPositive();
      assertThat((double) rows).as("rows").isLessThanOrEqualTo(RATIO_MAX * small.rows);
      assertThat((double) bytes).as("bytes of rows").isLessThanOrEqualTo(RATIO_MAX * small.bytes);
      assertThat(effects).as("effects").isEqualTo(small.effects);
    }
  }

  /** One owner and its Redis; region 2 has filled the collection. */
  private static final class Site {
    private static final RedisKey KEY = RedisKey.of(0, "collection");
    private static final int EPOCH = 1;
    private final CountedRows rows = new CountedRows();
    private final EventLog us = new EventLog(1);
    private final EventLog eu = new EventLog(2);
    private final MemoryRedis redis = new MemoryRedis(us);
    private final PartitionMerger owner =
        new PartitionMerger(
            MergerConfig.of(7, us.origin(), Set.of(1, 2)),
            rows,
            redis,
            new MapEventCodec(),
            new MergerListener() {});
    private long now;

    Site(int members, IntFunction<Change> change) {
      owner.start(0, EPOCH, 1);
      redis.connect(owner);
      redis.deliver();
      owner.onEvent(redis.tokenReport());
      redis.deliver();
      for (int i = 1; i <= members; i++) {
        owner.onEvent(eu.write(KEY, change.apply(i), VersionVector.EMPTY, i));
        redis.deliver();
      }
      settle();
      assertThat(redis.contents()).hasSize(members);
    }

    Cost remote(Change change) {
      return cost(
          () ->
              owner.onEvent(
                  eu.write(KEY, change, VersionVector.of(eu.origin(), eu.lastSeq()), 1 << 20)));
    }

    Cost local(Change change) {
      ChangeEvent event = redis.client(KEY, change, 1 << 20);
      return cost(() -> owner.onEvent(event));
    }

    private Cost cost(Runnable operation) {
      rows.reset();
      int effects = redis.effects().size();
      operation.run();
      redis.deliver();
      settle();
      return new Cost(rows.operations(), rows.bytes(), redis.effects().size() - effects);
    }

    private void settle() {
      for (int i = 0; i < 50 && !owner.isSettled(); i++) {
        now += 1_000;
        owner.tick(now);
        redis.deliver();
        owner.onEvent(redis.beat());
        redis.deliver();
      }
      assertThat(owner.isSettled()).as("settled; tracked %s", owner.tracked()).isTrue();
    }
  }
}
