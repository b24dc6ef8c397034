package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class StringCommandsTest {
  private final Stream stream = new Stream();

  private Change changeOf(String command) {
    int before = stream.events.size();
    stream.run(command);
    assertThat(stream.events).as(command).hasSize(before + 1);
    return stream.lastEvent().change();
  }

  @Test
  void setReplacesValueAndDeadline() {
    assertThat(changeOf("SET k v")).isEqualTo(new Change.StringSet(bytes("v"), 0, false));
    assertThat(changeOf("SET k w PXAT 5000000"))
        .isEqualTo(new Change.StringSet(bytes("w"), 5_000_000, false));
    assertThat(stream.shadow.key(0, bytes("k")).deadlineMillis()).isEqualTo(5_000_000);
    assertThat(changeOf("SET k w")).isEqualTo(new Change.StringSet(bytes("w"), 0, false));
    assertThat(stream.shadow.key(0, bytes("k")).deadlineMillis()).isZero();
  }

  @Test
  void setOfTheSameValueCountsAsAWrite() {
    stream.run("SET k v");
    assertThat(changeOf("SET k v")).isEqualTo(new Change.StringSet(bytes("v"), 0, false));
  }

  @Test
  void everyOptionOfSetIsUnderstood() {
    assertThat(changeOf("SET k v NX EXAT 6000 GET"))
        .isEqualTo(new Change.StringSet(bytes("v"), 6_000_000, false));
    assertThat(changeOf("set k v2 xx keepttl"))
        .isEqualTo(new Change.StringSet(bytes("v2"), 6_000_000, false));
    assertThat(stream.shadow.key(0, bytes("k")).deadlineMillis()).isEqualTo(6_000_000);
    assertThat(changeOf("SET k v EX 10"))
        .isEqualTo(new Change.StringSet(bytes("v"), stream.now + 10_000, false));
    assertThat(changeOf("SET k v PX 10"))
        .isEqualTo(new Change.StringSet(bytes("v"), stream.now + 10, false));
    assertThat(changeOf("SETEX k 3 v"))
        .isEqualTo(new Change.StringSet(bytes("v"), stream.now + 3000, false));
    assertThat(changeOf("PSETEX k 3 v"))
        .isEqualTo(new Change.StringSet(bytes("v"), stream.now + 3, false));
    assertThat(changeOf("SETNX n v")).isEqualTo(new Change.StringSet(bytes("v"), 0, false));
    assertThat(changeOf("GETSET k g")).isEqualTo(new Change.StringSet(bytes("g"), 0, false));
  }

  @Test
  void setOverACollectionDropsItsElements() {
    stream.run("SADD k a b");
    changeOf("SET k v");
    assertThat(stream.shadow.key(0, bytes("k")).content()).isEqualTo(Content.utf8("v"));
    stream.run("DEL k");
    stream.run("SADD k c");
    assertThat(stream.shadow.key(0, bytes("k")).count()).isEqualTo(1);
    assertThat(stream.shadow.key(0, bytes("k")).hasMember(bytes("a"))).isFalse();
  }

  @Test
  void incrementsCarryTheirDelta() {
    assertThat(changeOf("INCR k")).isEqualTo(new Change.StringAdd(BigDecimal.ONE, null));
    assertThat(changeOf("INCRBY k 41"))
        .isEqualTo(new Change.StringAdd(BigDecimal.valueOf(41), null));
    assertThat(changeOf("DECR k")).isEqualTo(new Change.StringAdd(BigDecimal.valueOf(-1), null));
    assertThat(changeOf("DECRBY k 6"))
        .isEqualTo(new Change.StringAdd(BigDecimal.valueOf(-6), null));
    assertThat(stream.shadow.key(0, bytes("k")).content()).isEqualTo(Content.utf8("35"));
  }

  @Test
  void incrementKeepsTheDeadline() {
    stream.run("SET k 5 PXAT 5000000").run("INCR k");
    assertThat(stream.shadow.key(0, bytes("k")).deadlineMillis()).isEqualTo(5_000_000);
  }

  @Test
  void incrementOfAnUnknownStringIsStillAnIncrement() {
    stream.run("SET k 5");
    stream.shadow.key(0, bytes("k")).markUnknown(ShadowType.STRING);
    assertThat(changeOf("INCRBY k 7")).isEqualTo(new Change.StringAdd(BigDecimal.valueOf(7), null));
    assertThat(stream.shadow.key(0, bytes("k")).exact()).isFalse();
  }

  @Test
  void floatIncrementIsTheExactDecimalDifference() {
    stream.run("SET k 10.1");
    assertThat(changeOf("SET k 11.35 KEEPTTL"))
        .isEqualTo(new Change.StringAdd(new BigDecimal("1.25"), bytes("11.35")));
    assertThat(changeOf("SET k 11 KEEPTTL"))
        .isEqualTo(new Change.StringAdd(new BigDecimal("-0.35"), bytes("11")));
  }

  @Test
  void floatIncrementOfAnAbsentKeyStartsAtZero() {
    assertThat(changeOf("SET k 2.5 KEEPTTL"))
        .isEqualTo(new Change.StringAdd(new BigDecimal("2.5"), bytes("2.5")));
  }

  @Test
  void setThatRedisWouldNotWriteForAFloatIncrementIsASet() {
    stream.run("SET k 1.5");
    assertThat(changeOf("SET k 2.50 KEEPTTL")).isInstanceOf(Change.StringSet.class);
    stream.run("SET k text");
    assertThat(changeOf("SET k 2.5 KEEPTTL")).isInstanceOf(Change.StringSet.class);
    assertThat(changeOf("set k 3.5 keepttl")).isInstanceOf(Change.StringSet.class);
    assertThat(changeOf("SET k 3.5 KEEPTTL XX")).isInstanceOf(Change.StringSet.class);
  }

  @Test
  void floatIncrementsCanBeSwitchedOff() {
    Stream off =
        new Stream(
            new io.crosstide.capture.shadow.InMemoryShadow(),
            1,
            config -> config.withFloatIncrements(false));
    off.run("SET k 1.5").run("SET k 2.5 KEEPTTL").run("HSET h f 1.5").run("HSET h f 2.5");
    assertThat(off.events)
        .allMatch(
            event ->
                event.change() instanceof Change.StringSet
                    || event.change() instanceof Change.HashPut);
  }

  @Test
  void multipleSetIsOneTransactionPerPartition() {
    stream.run("MSET a1 x b1 y c2 z");
    assertThat(stream.events).hasSize(3);
    assertThat(stream.events.get(0).transaction())
        .isEqualTo(new io.crosstide.protocol.ChangeEvent.TransactionPart(stream.offset, 0, 2));
    assertThat(stream.events.get(1).transaction())
        .isEqualTo(new io.crosstide.protocol.ChangeEvent.TransactionPart(stream.offset, 1, 2));
    assertThat(stream.events.get(2).transaction()).isNull();
    assertThat(stream.events)
        .extracting(event -> event.position().index())
        .containsExactly(0, 1, 2);
    assertThat(stream.changesOf("MSETNX d1 x e1 y")).hasSize(2);
  }

  @Test
  void aLongValueIsKeptAsDigest() {
    String value = "x".repeat(65);
    stream.run("SET k " + value);
    Content content = stream.shadow.key(0, bytes("k")).content();
    assertThat(content).isEqualTo(Content.utf8(value));
    assertThat(content).matches(Content::isDigestOnly);
  }

  @Test
  void aValueOverTheLimitIsCountedAndNotPublished() {
    Stream small =
        new Stream(
            new io.crosstide.capture.shadow.InMemoryShadow(),
            1,
            config -> config.withLimits(100, 1000));
    small.run("SET k " + "x".repeat(100)).run("HSET h f v").run("HSET h g " + "x".repeat(100));
    assertThat(small.events).hasSize(1);
    assertThat(small.unsupported).containsExactly("SET over 100 bytes", "HSET over 100 bytes");
    assertThat(small.shadow.key(0, bytes("k")).exact()).isFalse();
    assertThat(small.shadow.key(0, bytes("h")).exact()).isFalse();
    small.run("SET k v");
    assertThat(small.lastEvent().seq()).isEqualTo(2);
  }
}
