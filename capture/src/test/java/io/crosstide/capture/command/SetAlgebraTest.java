package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.key;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.Shadow;
import org.junit.jupiter.api.Test;

class SetAlgebraTest {
  private final Stream stream = new Stream();

  private SetAlgebraTest() {
    stream.run("SADD a x y z").run("SADD b y z w").run("ZADD z 1 x 2 y").run("ZADD v 10 y 20 w");
  }

  @Test
  void aResultReplacesTheTargetAndItsDeadline() {
    stream.run("HSET t f v").run("PEXPIREAT t 5000000");
    assertThat(stream.changesOf("SINTERSTORE t a b"))
        .containsExactly("t KeyDelete[]", "t SetAdd[y]", "t SetAdd[z]");
    assertThat(stream.shadow.key(0, Stream.bytes("t")).deadlineMillis()).isZero();
    assertThat(stream.changesOf("SDIFFSTORE u a b")).containsExactly("u SetAdd[x]");
    assertThat(stream.changesOf("SUNIONSTORE t u none"))
        .containsExactly("t KeyDelete[]", "t SetAdd[x]");
    assertThat(stream.wanted).isEmpty();
  }

  @Test
  void theTargetMayBeOneOfTheInputs() {
    assertThat(stream.changesOf("SUNIONSTORE a a b"))
        .containsExactly(
            "a KeyDelete[]", "a SetAdd[w]", "a SetAdd[x]", "a SetAdd[y]", "a SetAdd[z]");
    assertThat(stream.changesOf("SREM a w")).containsExactly("a SetRemove[w]");
    assertThat(stream.changesOf("ZRANGESTORE z z 1 1"))
        .containsExactly("z KeyDelete[]", "z ZsetPut[y, score=2.0]");
  }

  @Test
  void anEmptyResultDeletesTheTarget() {
    assertThat(stream.changesOf("SINTERSTORE a a none")).containsExactly("a KeyDelete[]");
    assertThat(stream.changesOf("ZRANGESTORE z z 5 7")).containsExactly("z KeyDelete[]");
    assertThat(stream.changesOf("ZDIFFSTORE z 2 v v")).isEmpty();
  }

  @Test
  void scoresAreWeightedAndAggregated() {
    assertThat(stream.changesOf("ZUNIONSTORE t 3 z v a WEIGHTS 2 0.5 1 AGGREGATE MAX"))
        .containsExactly(
            "t ZsetPut[w, score=10.0]",
            "t ZsetPut[x, score=2.0]",
            "t ZsetPut[y, score=5.0]",
            "t ZsetPut[z, score=1.0]");
    assertThat(stream.changesOf("ZINTERSTORE u 2 z v")).containsExactly("u ZsetPut[y, score=12.0]");
    assertThat(stream.changesOf("ZDIFFSTORE w 2 v a")).containsExactly("w ZsetPut[w, score=20.0]");
    stream.run("ZADD i inf x").run("ZADD j -inf x");
    assertThat(stream.changesOf("ZUNIONSTORE k 2 i j", "ZUNIONSTORE l 1 i WEIGHTS 0"))
        .containsExactly("k ZsetPut[x, score=0.0]", "l ZsetPut[x, score=0.0]");
  }

  @Test
  void sumsWhoseOrderRedisDoesNotSayAreReadBack() {
    assertThat(stream.changesOf("ZUNIONSTORE t 3 z v a")).isEmpty();
    assertThat(stream.wanted).containsExactly(key("t"));
  }

  @Test
  void rangesByRankScoreAndName() {
    stream.run("ZADD r 1 a 2 b 3 c 4 d").run("ZADD n 0 a 0 b 0 c");
    assertThat(stream.changesOf("ZRANGESTORE t r -2 -1 REV"))
        .containsExactly("t ZsetPut[a, score=1.0]", "t ZsetPut[b, score=2.0]");
    assertThat(stream.changesOf("ZRANGESTORE u r (4 2 BYSCORE REV LIMIT 1 5"))
        .containsExactly("u ZsetPut[b, score=2.0]");
    assertThat(stream.changesOf("ZRANGESTORE v1 r (1 +inf BYSCORE LIMIT 0 2"))
        .containsExactly("v1 ZsetPut[b, score=2.0]", "v1 ZsetPut[c, score=3.0]");
    assertThat(stream.changesOf("ZRANGESTORE w n [b + BYLEX", "ZRANGESTORE x n (c - BYLEX REV"))
        .containsExactly(
            "w ZsetPut[b, score=0.0]",
            "w ZsetPut[c, score=0.0]",
            "x ZsetPut[a, score=0.0]",
            "x ZsetPut[b, score=0.0]");
    assertThat(stream.wanted).isEmpty();
    stream.run("ZRANGESTORE y r [b + BYLEX");
    assertThat(stream.wanted).containsExactly(key("y"));
  }

  @Test
  void whatIsMadeOfWhatIsNotKnownIsReadBack() {
    stream.run("RESTORE a 0 p REPLACE");
    assertThat(stream.changesOf("SUNIONSTORE t b a", "ZRANGESTORE u a 0 1")).isEmpty();
    assertThat(stream.wanted).containsExactly(key("a"), key("t"), key("u"));
  }

  @Test
  void aLargeResultIsCompleteAndLeavesNothingBehind() {
    StringBuilder add = new StringBuilder("SADD big");
    for (int i = 0; i < 5_000; i++) {
      add.append(" m").append(i);
    }
    stream.run(add.toString());
    assertThat(stream.changesOf("SUNIONSTORE c big a", "SUNIONSTORE c big a"))
        .hasSize(2 * 5_003 + 1);
    Shadow shadow = stream.shadow;
    assertThat(shadow.key(0, Stream.bytes("c")).count()).isEqualTo(5_003);
    assertThat(shadow.key(0, Stream.bytes("__ct:result")).exists()).isFalse();
  }
}
