package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.ShadowType;
import org.junit.jupiter.api.Test;

class ZsetCommandsTest {
  private final Stream stream = new Stream();

  @Test
  void addSetsScoresThatChange() {
    assertThat(stream.changesOf("ZADD z 1 a 2.5 b"))
        .containsExactly("z ZsetPut[a, score=1.0]", "z ZsetPut[b, score=2.5]");
    assertThat(stream.changesOf("ZADD z 1 a 3 b")).containsExactly("z ZsetPut[b, score=3.0]");
    assertThat(stream.changesOf("ZADD z -0 c 0 c")).containsExactly("z ZsetPut[c, score=-0.0]");
  }

  @Test
  void flagsDecidePerMember() {
    stream.run("ZADD z 5 a");
    assertThat(stream.changesOf("ZADD z NX 6 a 6 b")).containsExactly("z ZsetPut[b, score=6.0]");
    assertThat(stream.changesOf("ZADD z XX CH 7 a 7 c")).containsExactly("z ZsetPut[a, score=7.0]");
    assertThat(stream.changesOf("ZADD z GT 6 a 8 b 1 d"))
        .containsExactly("z ZsetPut[b, score=8.0]", "z ZsetPut[d, score=1.0]");
    assertThat(stream.changesOf("ZADD z lt 9 a 2 b")).containsExactly("z ZsetPut[b, score=2.0]");
  }

  @Test
  void scoresAreReadAsRedisReadsThem() {
    assertThat(stream.changesOf("ZADD z +inf a -INF b 1e3 c 0x10 d Infinity e"))
        .containsExactly(
            "z ZsetPut[a, score=Infinity]",
            "z ZsetPut[b, score=-Infinity]",
            "z ZsetPut[c, score=1000.0]",
            "z ZsetPut[d, score=16.0]",
            "z ZsetPut[e, score=Infinity]");
  }

  @Test
  void incrementsSayFromAndTo() {
    assertThat(stream.changesOf("ZINCRBY z 0.1 a"))
        .containsExactly("z ZsetAdd[a, from=0.0, to=0.1]");
    assertThat(stream.changesOf("ZINCRBY z 0.2 a"))
        .containsExactly("z ZsetAdd[a, from=0.1, to=0.30000000000000004]");
    assertThat(stream.changesOf("ZADD z GT INCR 1 a"))
        .containsExactly("z ZsetAdd[a, from=0.30000000000000004, to=1.3]");
  }

  @Test
  void popTakesTheLowestOrHighest() {
    stream.run("ZADD z 2 b 1 a 2 c 3 d").run("PEXPIREAT z 5000000");
    assertThat(stream.changesOf("ZPOPMIN z 2"))
        .containsExactly("z ZsetRemove[a]", "z ZsetRemove[b]");
    assertThat(stream.changesOf("ZPOPMAX z")).containsExactly("z ZsetRemove[d]");
    assertThat(stream.changesOf("ZPOPMAX z 5"))
        .containsExactly("z ZsetRemove[c]", "z DeadlineRemove[]");
  }

  @Test
  void rangesAreRemovedMemberByMember() {
    stream.run("ZADD z -1 n 0 a 0 b 1 c 2 d 3 e");
    assertThat(stream.changesOf("ZREMRANGEBYSCORE z (0 2"))
        .containsExactly("z ZsetRemove[c]", "z ZsetRemove[d]");
    assertThat(stream.changesOf("ZREMRANGEBYSCORE z -inf -0.5")).containsExactly("z ZsetRemove[n]");
    assertThat(stream.changesOf("ZREMRANGEBYRANK z -2 -2")).containsExactly("z ZsetRemove[b]");
    assertThat(stream.changesOf("ZREMRANGEBYRANK z 0 99"))
        .containsExactly("z ZsetRemove[a]", "z ZsetRemove[e]");
  }

  @Test
  void rangesByNameNeedOneScore() {
    stream.run("ZADD z 0 a 0 b 0 c 0 d");
    assertThat(stream.changesOf("ZREMRANGEBYLEX z (a [c"))
        .containsExactly("z ZsetRemove[b]", "z ZsetRemove[c]");
    assertThat(stream.changesOf("ZREMRANGEBYLEX z - +"))
        .containsExactly("z ZsetRemove[a]", "z ZsetRemove[d]");
    stream.run("ZADD z 0 a 1 b");
    assertThat(stream.changesOf("ZREMRANGEBYLEX z - [a")).isEmpty();
    assertThat(stream.unsupported).isEmpty();
    assertThat(stream.wanted).containsExactly(Stream.key("z"));
  }

  @Test
  void whatASetLosesOfWhichNotAllIsKnownIsReadBack() {
    stream.run("ZADD z 4 a");
    stream.shadow.key(0, bytes("z")).markUnknown(ShadowType.ZSET);
    assertThat(stream.changesOf("ZINCRBY z 1 a")).containsExactly("z ZsetAdd[a, from=4.0, to=5.0]");
    assertThat(stream.changesOf("ZPOPMIN z", "ZINCRBY z 1 a")).isEmpty();
    assertThat(stream.wanted).containsExactly(Stream.key("z"));
  }
}
