package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import org.junit.jupiter.api.Test;

class KeyCommandsTest {
  private final Stream stream = new Stream();

  @Test
  void deleteYieldsOneEventPerKeyThatWasThere() {
    stream.run("SET a v").run("SADD b m");
    assertThat(stream.changesOf("DEL a x b")).containsExactly("a KeyDelete[]", "b KeyDelete[]");
    assertThat(stream.changesOf("UNLINK a")).isEmpty();
  }

  @Test
  void deleteAtTheDeadlineIsAnExpiry() {
    stream.run("SET __ct:beacon 1000000").run("SET a v PXAT 1000100");
    assertThat(stream.changesOf("DEL a")).containsExactly("a KeyExpire[deadlineMillis=1000100]");
    stream.run("SET a v PXAT 1000500");
    assertThat(stream.changesOf("DEL a")).containsExactly("a KeyDelete[]");
  }

  @Test
  void untilTheNextBeaconADeadlineMayHavePassedAtAnyTimeUpToNow() {
    stream.run("SET __ct:beacon 1000000").run("SET a v PXAT 1050000").run("SET b v PXAT 1050000");
    stream.now = 1_060_000;
    stream.interpreter.streamResumed();
    assertThat(stream.changesOf("DEL a")).containsExactly("a KeyExpire[deadlineMillis=1050000]");
    stream.run("SET __ct:beacon 1000100");
    assertThat(stream.changesOf("DEL b")).containsExactly("b KeyDelete[]");
  }

  @Test
  void deadlinesAreSetRemovedAndAlwaysCount() {
    stream.run("SET a v");
    assertThat(stream.changesOf("PEXPIREAT a 5000000", "PEXPIREAT a 5000000", "EXPIREAT a 6000 GT"))
        .containsExactly(
            "a DeadlineSet[deadlineMillis=5000000]",
            "a DeadlineSet[deadlineMillis=5000000]",
            "a DeadlineSet[deadlineMillis=6000000]");
    assertThat(stream.changesOf("EXPIRE a 10", "PEXPIRE a 10"))
        .containsExactly(
            "a DeadlineSet[deadlineMillis=1010000]", "a DeadlineSet[deadlineMillis=1000010]");
    assertThat(stream.changesOf("PERSIST a", "PERSIST a")).containsExactly("a DeadlinePersist[]");
  }

  @Test
  void renameDeletesTheSourceAndOverwritesTheTarget() {
    stream.run("HSET h f v").run("PEXPIREAT h 5000000").run("SADD t x");
    assertThat(stream.changesOf("RENAME h t"))
        .containsExactly(
            "t KeyDelete[]",
            "t HashPut[f, v]",
            "t DeadlineSet[deadlineMillis=5000000]",
            "h KeyDelete[]");
    assertThat(stream.shadow.key(0, bytes("h")).exists()).isFalse();
    assertThat(stream.shadow.key(0, bytes("t")).field(bytes("f")).toString()).isEqualTo("'v'");
    assertThat(stream.shadow.key(0, bytes("t")).deadlineMillis()).isEqualTo(5_000_000);
    stream.run("SET s v");
    assertThat(stream.changesOf("RENAMENX s u"))
        .containsExactly("u StringSet[v, deadlineMillis=0, keepsDeadline=false]", "s KeyDelete[]");
  }

  @Test
  void whatIsMadeUnderAnotherNameSaysSo() {
    stream.run("SADD s a b").run("ZADD z 1 m");
    assertThat(stream.eventsOf("COPY s t", "SUNIONSTORE u s"))
        .hasSize(4)
        .allMatch(ChangeEvent::createsKey);
    stream.run("RESTORE v 0 p");
    int before = stream.events.size();
    stream.content("v", "zset", 5_000_000, "m", "1");
    assertThat(stream.events.subList(before, before + 3))
        .extracting(ChangeEvent::createsKey)
        .containsExactly(false, true, false);
  }

  @Test
  void renameOfValuesThatAreNotKeptIsReadBackUnderTheNewName() {
    stream.run("SET s " + "x".repeat(65) + " PXAT 5000000").run("XADD l 1-1 f v");
    assertThat(stream.changesOf("RENAME s t", "RENAME l m"))
        .containsExactly("s KeyDelete[]", "l KeyDelete[]");
    assertThat(stream.wanted).containsExactly(Stream.key("t"), Stream.key("m"));
    assertThat(stream.shadow.key(0, bytes("s")).exists()).isFalse();
    assertThat(stream.shadow.key(0, bytes("t")).deadlineMillis()).isEqualTo(5_000_000);
    stream.content("m", "stream", 0);
    assertThat(stream.shadow.key(0, bytes("m")).type()).isEqualTo(ShadowType.OPAQUE);
    assertThat(stream.unsupported)
        .containsExactly("a stream that was renamed, copied, restored or stored");
  }

  @Test
  void copyOfValuesThatAreNotKeptTakesTheDeadlineAlong() {
    stream.run("HSET h f " + "x".repeat(65)).run("PEXPIREAT h 5000000");
    assertThat(stream.changesOf("COPY h g DB 2 REPLACE", "MOVE h 1"))
        .containsExactly("h KeyDelete[]");
    assertThat(stream.wanted).containsExactly(RedisKey.of(2, "g"), RedisKey.of(1, "h"));
    assertThat(stream.shadow.key(2, bytes("g")).deadlineMillis()).isEqualTo(5_000_000);
    assertThat(stream.shadow.key(1, bytes("h")).deadlineMillis()).isEqualTo(5_000_000);
  }

  @Test
  void copyAndMoveReachOtherDatabases() {
    stream.run("ZADD z 1 a");
    assertThat(stream.changesOf("COPY z y DB 3 REPLACE"))
        .containsExactly("3/y ZsetPut[a, score=1.0]");
    assertThat(stream.changesOf("MOVE z 2"))
        .containsExactly("2/z ZsetPut[a, score=1.0]", "z KeyDelete[]");
    assertThat(stream.shadow.key(0, bytes("z")).exists()).isFalse();
    assertThat(stream.shadow.key(2, bytes("z")).score(bytes("a"))).isEqualTo(1);
    assertThat(stream.shadow.key(3, bytes("y")).score(bytes("a"))).isEqualTo(1);
  }

  @Test
  void flushDeletesKeyByKey() {
    stream.run("SET a v").run("SADD b m").run("SELECT 1").run("SET c v");
    assertThat(stream.changesOf("FLUSHDB")).containsExactly("1/c KeyDelete[]");
    stream.run("SET c v");
    assertThat(stream.changesOf("FLUSHALL ASYNC"))
        .startsWith(
            "a KeyDelete[]",
            "b KeyDelete[]",
            "1/c KeyDelete[]",
            "MarkerLost[token=, preceding=0:0]")
        .hasSize(3 + Stream.PARTITIONS);
    assertThat(stream.changesOf("FLUSHALL")).containsOnly("MarkerLost[token=, preceding=0:0]");
  }

  @Test
  void aFlushStopsCaptureWhereItIsToHalt() {
    Stream halting =
        new Stream(new InMemoryShadow(), 1, config -> config.withFlush(FlushPolicy.HALT));
    halting.run("SET a v");
    assertThatThrownBy(() -> halting.run("FLUSHALL"))
        .isInstanceOf(FlushRefusedException.class)
        .hasMessageContaining("FLUSHALL")
        .hasMessageContaining("start capture again");
    assertThat(halting.events).hasSize(1);
    assertThat(halting.unitEnds).hasSize(1);
  }

  @Test
  void aLocalFlushIsFollowedAndNotPublished() {
    Stream local =
        new Stream(new InMemoryShadow(), 1, config -> config.withFlush(FlushPolicy.LOCAL));
    local.run("SET a v").run("SELECT 1").run("SET b v").run("RESTORE c 0 p");
    assertThat(local.changesOf("FLUSHDB SYNC")).isEmpty();
    assertThat(local.shadow.key(1, bytes("b")).exists()).isFalse();
    assertThat(local.shadow.unresolvedAfter(null)).isNull();
    assertThat(local.changesOf("FLUSHALL")).containsOnly("MarkerLost[token=, preceding=0:0]");
    assertThat(local.shadow.key(0, bytes("a")).exists()).isFalse();
    assertThat(local.interpreter.unsupported().local()).containsKeys("FLUSHDB", "FLUSHALL");
  }

  @Test
  void exchangedDatabasesHoldWhatTheOtherHeld() {
    stream.run("SET a v").run("SADD both m").run("SET long " + "x".repeat(65));
    stream.run("SELECT 1").run("HSET both f v").run("PEXPIREAT both 5000000").run("SET b w");
    assertThat(stream.changesOf("SWAPDB 0 1").stream().filter(text -> !text.contains("Lost")))
        .containsExactly(
            "b StringSet[w, deadlineMillis=0, keepsDeadline=false]",
            "both KeyDelete[]",
            "both HashPut[f, v]",
            "both DeadlineSet[deadlineMillis=5000000]",
            "a KeyDelete[]",
            "long KeyDelete[]",
            "1/a StringSet[v, deadlineMillis=0, keepsDeadline=false]",
            "1/both KeyDelete[]",
            "1/both SetAdd[m]",
            "1/b KeyDelete[]");
    assertThat(stream.wanted).containsExactly(RedisKey.of(1, "long"));
    assertThat(stream.shadow.key(0, bytes("a")).exists()).isFalse();
    assertThat(stream.shadow.key(1, bytes("a")).exists()).isTrue();
    assertThat(stream.changesOf("SWAPDB 2 2")).isEmpty();
  }

  @Test
  void whatIsRestoredIsReadBack() {
    stream.run("SET a v");
    assertThat(stream.changesOf("RESTORE a 5000000 payload REPLACE ABSTTL", "RESTORE b 70 payload"))
        .isEmpty();
    assertThat(stream.shadow.key(0, bytes("a")).deadlineMillis()).isEqualTo(5_000_000);
    assertThat(stream.shadow.key(0, bytes("b")).deadlineMillis()).isEqualTo(1_000_070);
    assertThat(stream.wanted).containsExactly(Stream.key("a"), Stream.key("b"));
  }

  @Test
  void keysOfOtherTypesAreCountedAndForgotten() {
    assertThat(stream.changesOf("XAUTOCLAIM p g c 0 0")).isEmpty();
    assertThat(stream.interpreter.unsupported().counts()).containsEntry("XAUTOCLAIM", 1L);
    assertThat(stream.changesOf("PEXPIREAT x 5000000")).isEmpty();
    assertThat(stream.changesOf("DEL x")).containsExactly("x KeyDelete[]");
  }

  @Test
  void hyperLogLogsAreReadBack() {
    assertThat(stream.changesOf("PFADD p a", "PFADD p b", "PFMERGE q p")).isEmpty();
    assertThat(stream.wanted).containsExactly(RedisKey.of(0, "p"), RedisKey.of(0, "q"));
    stream.content("p", "string", 0, "HYLL");
    assertThat(stream.events).hasSize(1);
    assertThat(stream.changesOf("PFCOUNT p")).isEmpty();
    assertThat(stream.wanted).hasSize(2);
    assertThat(stream.interpreter.unsupported().counts()).isEmpty();
  }

  @Test
  void unknownCommandsAreCountedAndWhatTheyNameIsDoubted() {
    stream.run("SET k v");
    assertThat(stream.changesOf("MODULE.WRITE k x", "module.write")).isEmpty();
    assertThat(stream.interpreter.unsupported().counts()).containsEntry("MODULE.WRITE", 2L);
    assertThat(stream.shadow.key(0, bytes("k")).exact()).isFalse();
  }

  @Test
  void localCommandsYieldNothing() {
    assertThat(stream.changesOf("PING", "REPLCONF GETACK *", "SCRIPT LOAD x", "FUNCTION FLUSH"))
        .isEmpty();
    assertThat(stream.interpreter.unsupported().counts()).isEmpty();
    assertThat(stream.interpreter.unsupported().local()).containsOnlyKeys("SCRIPT", "FUNCTION");
    assertThat(stream.unitEnds).hasSize(4);
  }
}
