package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.ORIGIN;
import static io.crosstide.capture.command.Stream.bytes;
import static io.crosstide.capture.command.Stream.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.ChangeEvent.StreamPosition;
import io.crosstide.protocol.ChangeEvent.TransactionPart;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class StreamInterpreterTest {
  private static final Origin OTHER = Origin.of(2);

  private final Stream stream = new Stream();

  private static VersionVector other(long seq) {
    return VersionVector.of(OTHER, seq);
  }

  private Stream marker(int partition, long number, long context, String more) {
    return stream.run(markerCommand(partition, number, context, more));
  }

  private static String markerCommand(int partition, long number, long context, String more) {
    return "HSET __ct:{" + partition + "} f 1:" + number + " c 2=" + context + more;
  }

  // ---- what events carry ----

  @Test
  void eventsAreNumberedPerPartitionWithoutGaps() {
    stream.run("SET a v").run("SET b1 v").run("SADD c x y").run("SET d1 v");
    assertThat(stream.events).extracting(ChangeEvent::seq).containsExactly(1L, 1L, 2L, 3L, 2L);
    assertThat(stream.events)
        .allMatch(event -> event.previousSeq() == event.seq() - 1)
        .allMatch(event -> event.origin().equals(ORIGIN) && event.captureEpoch() == 1);
  }

  @Test
  void stampsRiseEvenWhileTheClockStands() {
    stream.run("SADD a x y z").run("SET a1 v");
    assertThat(stream.events).extracting(ChangeEvent::stamp).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void everyEventSaysWhereItsCommandEnds() {
    stream.interpreter.replId("id");
    stream.run("SADD a x y");
    assertThat(stream.events)
        .extracting(ChangeEvent::position)
        .containsExactly(new StreamPosition("id", 100, 0), new StreamPosition("id", 100, 1));
  }

  @Test
  void whatLagsIsStampedWithTheTimeOfTheBeacon() {
    stream.run("SET __ct:beacon 1000000");
    stream.now = 1_000_050;
    stream.run("SET a v");
    assertThat(stream.lastEvent().stamp().physicalMillis()).isEqualTo(1_000_050);
    stream.now = 2_000_000;
    stream.run("SET a v");
    assertThat(stream.lastEvent().stamp().physicalMillis()).isEqualTo(1_000_200);
    stream.run("SET __ct:beacon 1999990").run("SET a v");
    assertThat(stream.lastEvent().stamp().physicalMillis()).isEqualTo(2_000_000);
  }

  @Test
  void binaryNamesAndValuesPassUnchanged() {
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    stream.run("HSET".getBytes(StandardCharsets.US_ASCII), all, all, all);
    ChangeEvent event = stream.lastEvent();
    assertThat(Objects.requireNonNull(event.element()).name().array()).isEqualTo(all);
    assertThat(Objects.requireNonNull(event.key()).name().array()).isEqualTo(all);
    assertThat(((Change.HashPut) event.change()).value().array()).isEqualTo(all);
  }

  // ---- transactions ----

  @Test
  void aTransactionIsOneUnitWithPartsPerPartition() {
    stream.run("MULTI").run("SET a v").run("SET b1 v");
    assertThat(stream.interpreter.insideTransaction()).isTrue();
    assertThat(stream.events).isEmpty();
    assertThat(stream.unitEnds).isEmpty();
    stream.run("INCR c").run("EXEC");
    assertThat(stream.unitEnds).containsExactly(500L);
    assertThat(stream.events)
        .extracting(ChangeEvent::transaction)
        .containsExactly(new TransactionPart(500, 0, 2), null, new TransactionPart(500, 1, 2));
    assertThat(stream.events)
        .extracting(event -> event.position().index())
        .containsExactly(0, 1, 2);
  }

  @Test
  void selectCountsInsideTransactionsAndAfterThem() {
    stream.run("MULTI").run("SELECT 2").run("SET a v").run("EXEC").run("SET b v");
    assertThat(stream.events)
        .extracting(event -> Objects.requireNonNull(event.key()).db())
        .containsExactly(2, 2);
    assertThat(stream.interpreter.db()).isEqualTo(2);
  }

  @Test
  void anOpenTransactionCanBeForgotten() {
    stream.run("SET a v").run("MULTI").run("SET a w");
    stream.interpreter.dropOpenTransaction();
    assertThat(stream.interpreter.unitOffset()).isEqualTo(100);
    assertThat(stream.changesOf("INCR n")).hasSize(1);
  }

  @Test
  void aTransactionTooLargeToHoldIsPublishedInPieces() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(1000, 3));
    small.run("SADD s a b c d e");
    assertThat(small.events).hasSize(5).allMatch(event -> event.transaction() == null);
    assertThat(small.events)
        .extracting(event -> event.position().index())
        .containsExactly(0, 1, 2, 3, 4);
    small.run("SADD s f g");
    assertThat(small.lastEvent().transaction()).isEqualTo(new TransactionPart(200, 1, 2));
  }

  @Test
  void aCommandOfManyLongValuesIsPublishedInPieces() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(100, 1000));
    small.run("MSET a " + "x".repeat(60) + " b " + "y".repeat(60) + " c z d " + "u".repeat(90));
    assertThat(small.events).hasSize(4).allMatch(event -> event.transaction() == null);
    assertThat(small.events)
        .extracting(event -> event.position().index())
        .containsExactly(0, 1, 2, 3);
    small.run("MSET a " + "x".repeat(40) + " b " + "y".repeat(40));
    assertThat(small.lastEvent().transaction()).isEqualTo(new TransactionPart(200, 1, 2));
  }

  @Test
  void aTransactionTooLongToHoldIsInterpretedAsItComes() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(20, 1000));
    small.run("MULTI").run("SADD s aaaa").run("SADD s bbbb").run("SADD s cccc").run("SADD s dddd");
    assertThat(small.unitEnds).isEmpty();
    assertThat(small.interpreter.insideTransaction()).isTrue();
    // The connection breaks here: reading goes on in the middle of the transaction.
    small.interpreter.dropOpenTransaction();
    assertThat(small.interpreter.unitOffset()).isEqualTo(500);
    assertThat(small.events).hasSize(4).allMatch(event -> event.transaction() == null);
    small.run("SADD s eeee").run("EXEC").run("SADD s f g");
    assertThat(small.unitEnds).containsExactly(700L, 800L);
    assertThat(small.events).extracting(ChangeEvent::seq).isSorted().hasSize(7);
    assertThat(small.lastEvent().transaction()).isEqualTo(new TransactionPart(800, 1, 2));
  }

  @Test
  void manyShortCommandsOfATransactionAreHeldByWhatTheyTakeInMemory() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(1000, 1000));
    small.run("MULTI");
    for (int i = 0; i < 20; i++) {
      small.run("INCR n");
    }
    // A hundred bytes of arguments, but more than a thousand of arrays.
    assertThat(small.unitEnds).isEmpty();
    small.interpreter.dropOpenTransaction();
    assertThat(small.interpreter.unitOffset()).isEqualTo(2_100);
    assertThat(small.events).hasSize(20);
  }

  @Test
  void anEffectBatchTooLongToHoldIsStillRecognised() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(60, 1000));
    assertThat(
            small.changesOf(
                "MULTI",
                "DEL x",
                markerCommand(0, 1, 5, ""),
                "SADD s " + "m".repeat(40),
                "SADD s " + "n".repeat(40),
                "EXEC"))
        .isEmpty();
    assertThat(small.markersSeen).containsExactly("0 1:1");
    assertThat(small.interpreter.echoes()).isEqualTo(2);
  }

  // ---- markers ----

  @Test
  void localWritesCarryWhatTheMarkerShowed() {
    stream.run("SET a v");
    marker(0, 7, 5, "");
    stream.run("SET a v").run("SET b1 v");
    assertThat(stream.events)
        .extracting(ChangeEvent::context)
        .containsExactly(VersionVector.EMPTY, other(5), VersionVector.EMPTY);
    assertThat(stream.events)
        .extracting(ChangeEvent::fx)
        .containsExactly(Fx.NONE, new Fx(1, 7), Fx.NONE);
    assertThat(stream.markersSeen).containsExactly("0 1:7");
  }

  @Test
  void anEffectBatchMovesTheShadowAndNothingElse() {
    List<String> changes =
        stream.changesOf(
            "MULTI",
            markerCommand(0, 1, 5, " p 1:1"),
            "SET a v",
            "SADD s m",
            "SELECT 1",
            "ZADD z 1 m",
            "SELECT 0",
            "HSET __ct:{0} k 0",
            "EXEC");
    assertThat(changes).isEmpty();
    assertThat(stream.markersSeen).containsExactly("0 1:1 probe");
    assertThat(stream.interpreter.echoes()).isEqualTo(3);
    assertThat(stream.shadow.key(0, bytes("a")).exists()).isTrue();
    assertThat(stream.shadow.key(1, bytes("z")).score(bytes("m"))).isEqualTo(1);
    assertThat(stream.changesOf("SADD s m")).isEmpty();
  }

  @Test
  void lazyExpiryBeforeTheMarkerIsLocal() {
    stream.run("SET a v PXAT 5");
    List<String> changes =
        stream.changesOf("MULTI", "DEL a", markerCommand(0, 1, 5, ""), "SET a w", "EXEC");
    assertThat(changes).containsExactly("a KeyExpire[deadlineMillis=5]");
    assertThat(stream.lastEvent().fx()).isEqualTo(Fx.NONE);
    assertThat(stream.lastEvent().context()).isEqualTo(VersionVector.EMPTY);
    assertThat(stream.changesOf("DEL a")).containsExactly("a KeyDelete[]");
    assertThat(stream.lastEvent().fx()).isEqualTo(new Fx(1, 1));
  }

  @Test
  void contextAndNumberNeverFall() {
    marker(0, 9, 5, "");
    marker(0, 4, 3, "");
    assertThat(stream.interpreter.markers().fx(0)).isEqualTo(new Fx(1, 9));
    assertThat(stream.interpreter.markers().context(0)).isEqualTo(other(5));
  }

  @Test
  void exceptionsLowerTheContextOfTheirElementUntilTheyAreRemoved() {
    Element element = new Element(key("s"), ElementKind.SET_MEMBER, bytes("m"));
    exception(element, "1:6 2=4");
    stream.run("SADD s m").run("SADD s n").run("DEL s");
    assertThat(stream.events)
        .extracting(ChangeEvent::context)
        .containsExactly(other(4), other(5), other(5));
    assertThat(stream.events)
        .extracting(ChangeEvent::exceptions)
        .containsExactly(
            Map.of(), Map.of(), Map.of(element.digest(), new Missed(new Fx(1, 6), other(4))));
    assertThat(stream.interpreter.markers().floor(0)).isEqualTo(other(4));
    stream.run("HDEL __ct:{0} x:" + element.digest()).run("SADD s m");
    assertThat(stream.lastEvent().context()).isEqualTo(other(5));
    assertThat(stream.interpreter.markers().floor(0)).isEqualTo(other(5));
  }

  @Test
  void exceptionsOfOtherKeysAreNotCarried() {
    exception(new Element(key("t"), ElementKind.SET_MEMBER, bytes("m")), "1:6 2=4");
    stream.run("SET s v");
    assertThat(stream.lastEvent().exceptions()).isEmpty();
  }

  private void exception(Element element, String missed) {
    byte[][] argv =
        RandomCommands.argv(
            "HSET", "__ct:{0}", "f", "1:7", "c", "2=5", "x:" + element.digest(), missed);
    stream.run(argv);
  }

  // ---- markers taken away ----

  @Test
  void aMarkerTakenAwayIsToldAfterTheEventsOfTheSameCommand() {
    marker(0, 7, 5, "");
    marker(1, 3, 2, "");
    assertThat(stream.changesOf("SET a v", "FLUSHALL"))
        .containsExactly(
            "a StringSet[v, deadlineMillis=0, keepsDeadline=false]",
            "a KeyDelete[]",
            "MarkerLost[token=, preceding=0:0]",
            "MarkerLost[token=, preceding=0:0]",
            "MarkerLost[token=, preceding=0:0]",
            "MarkerLost[token=, preceding=0:0]");
    ChangeEvent lost = stream.events.get(2);
    assertThat(lost.seq()).isEqualTo(2);
    assertThat(lost.fx()).isEqualTo(new Fx(1, 7));
    assertThat(lost.context()).isEqualTo(other(5));
    stream.run("SET a v");
    assertThat(stream.lastEvent().context()).isEqualTo(other(5));
  }

  @Test
  void aBeatAmidAFullResyncDoesNotSayThatItsEffectsHavePassed() {
    marker(0, 7, 5, "");
    assertThat(stream.interpreter.beat(0).fx()).isEqualTo(new Fx(1, 7));
    assertThat(stream.interpreter.fence(0).fx()).isEqualTo(Fx.NONE);
    stream.interpreter.position("history", -1, 0);
    assertThat(stream.interpreter.beat(0).fx()).isEqualTo(Fx.NONE);
    stream.interpreter.position("history", 100, 0);
    assertThat(stream.interpreter.beat(0).fx()).isEqualTo(new Fx(1, 7));
  }

  @Test
  void anOwnersQuestionIsAnsweredWithWhatTheMarkerHeldUpToThere() {
    marker(0, 7, 5, "");
    stream.run("DEL __ct:{0}");
    assertThat(stream.changesOf("HSET __ct:{0} t question"))
        .containsExactly("MarkerLost[token=question, preceding=0:0]");
    assertThat(stream.lastEvent().fx()).isEqualTo(new Fx(1, 7));
    assertThat(stream.lastEvent().context()).isEqualTo(other(5));
    assertThat(stream.changesOf("HSET __ct:{0} t another"))
        .containsExactly("MarkerLost[token=another, preceding=0:0]");
    // The marker is written, and the question with it gone.
    marker(0, 8, 6, "");
    assertThat(stream.changesOf("HDEL __ct:{0} t")).isEmpty();
  }

  @Test
  void everyWayToTakeAMarkerAwayIsNoticed() {
    for (String command :
        List.of(
            "DEL x __ct:{0}",
            "UNLINK __ct:{0}",
            "RENAME __ct:{0} x",
            "RENAME x __ct:{0}",
            "SET __ct:{0} v",
            "MSET x v __ct:{0} v",
            "MOVE __ct:{0} 1",
            "COPY x __ct:{0} REPLACE",
            "PEXPIREAT __ct:{0} 5000000",
            "HDEL __ct:{0} f",
            "HSET __ct:{0} f nonsense",
            "SUNIONSTORE __ct:{0} x y",
            "RESTORE __ct:{0} 0 x REPLACE",
            "FLUSHDB",
            "SWAPDB 3 0")) {
      marker(0, 7, 5, "");
      assertThat(stream.changesOf("SET x v", command, "DEL x"))
          .as(command)
          .contains("MarkerLost[token=, preceding=0:0]");
    }
  }

  @Test
  void whatDoesNotConcernAMarkerDoesNotLoseIt() {
    marker(0, 7, 5, "");
    assertThat(
            stream.changesOf(
                "SELECT 1",
                "DEL __ct:{0}",
                "FLUSHDB",
                "SET __ct:{0} v",
                "SELECT 0",
                "PERSIST __ct:{0}",
                "DEL __ct:{99}",
                "DEL __ct:x",
                "SWAPDB 1 2"))
        .isEmpty();
  }

  @Test
  void aMarkerWrittenAgainInTheSameTransactionIsNotLost() {
    marker(0, 7, 5, "");
    assertThat(
            stream.changesOf("MULTI", "DEL __ct:{0}", "HSET __ct:{0} e 1 f 1:7 c 2=5 k 0", "EXEC"))
        .isEmpty();
  }

  @Test
  void anInstalledMarkerBringsItsOwnExceptions() {
    exception(new Element(key("s"), ElementKind.SET_MEMBER, bytes("m")), "1:6 2=4");
    stream.run("DEL __ct:{0}");
    assertThat(stream.interpreter.markers().hasExceptions(0)).isTrue();
    stream.run("HSET __ct:{0} e 2 f 1:7 c 2=5 k 0");
    assertThat(stream.interpreter.markers().hasExceptions(0)).isFalse();
    assertThat(stream.interpreter.markers().present(0)).isTrue();
  }

  @Test
  void beatsAndFencesFollowTheLastEvent() {
    stream.interpreter.replId("id");
    stream.run("SADD s a b");
    marker(0, 7, 5, "");
    ChangeEvent beat = stream.interpreter.beat(0);
    assertThat(beat.change()).isEqualTo(new Change.Beat(other(5)));
    assertThat(beat.seq()).isEqualTo(2);
    assertThat(beat.previousSeq()).isEqualTo(2);
    assertThat(beat.fx()).isEqualTo(new Fx(1, 7));
    assertThat(beat.position()).isEqualTo(new StreamPosition("id", 200, Integer.MAX_VALUE));
    assertThat(stream.interpreter.fence(1).position()).isEqualTo(StreamPosition.UNKNOWN);
  }

  // ---- restarts ----

  @Test
  void aRestartGoesOnFromTheLastCommit() {
    InMemoryShadow shadow = new InMemoryShadow();
    Stream first = new Stream(shadow, 1);
    first.interpreter.replId("id");
    first.run("SELECT 3").run("SET __ct:beacon 999000");
    first.run("SELECT 0").run("SET __ct:beacon 999000").run("SELECT 3");
    first.run("SET a v").run("SELECT 0").run(markerCommand(0, 7, 5, "")).run("SELECT 3");
    first.shadow.commitThrough(first.lastUnit);
    long committed = first.offset;
    first.run("SET a w");

    Stream second = new Stream(shadow.crashed(), 2);
    assertThat(second.interpreter.unitOffset()).isEqualTo(committed);
    assertThat(second.interpreter.replId()).isEqualTo("id");
    assertThat(second.interpreter.db()).isEqualTo(3);
    assertThat(second.interpreter.streamMillis()).isEqualTo(999_000);
    assertThat(second.interpreter.markers().context(0)).isEqualTo(other(5));
    assertThat(second.shadow.key(3, bytes("a")).content()).isEqualTo(Content.utf8("v"));
    second.run("SET a w");
    assertThat(second.lastEvent().seq()).isEqualTo(2);
    assertThat(second.lastEvent().stamp()).isGreaterThan(first.events.get(0).stamp());
  }

  @Test
  void whatTheLogHoldsIsDerivedAgainButNotDelivered() {
    InMemoryShadow shadow = new InMemoryShadow();
    Stream first = new Stream(shadow, 1);
    first.run("SET a v");
    first.shadow.commitThrough(first.lastUnit);
    first.run("MSET a x b y c z");
    ChangeEvent second = first.events.get(2);

    Stream restarted = new Stream(shadow.crashed(), 2);
    restarted.offset = 100;
    restarted
        .interpreter
        .sequencer()
        .logEnd(0, second.seq(), second.position().replOffset(), second.position().index());
    assertThat(restarted.interpreter.sequencer().behindLog(0)).isTrue();
    restarted.run("MSET a x b y c z").run("SET d v");
    assertThat(restarted.events).extracting(ChangeEvent::seq).containsExactly(4L, 5L);
    assertThat(restarted.events.get(0).transaction()).isEqualTo(new TransactionPart(200, 2, 3));
    assertThat(restarted.shadow.key(0, bytes("a")).content()).isEqualTo(Content.utf8("x"));
  }

  @Test
  void aLogThatDisagreesStopsTheRestart() {
    stream.interpreter.sequencer().logEnd(0, 1, 4711, 0);
    assertThatThrownBy(() -> stream.run("SET a v"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("offset 4711");
  }

  @Test
  void aLostMarkerIsNotToldAgainWhileTheLogIsAhead() {
    marker(0, 7, 5, "");
    stream.interpreter.sequencer().logEnd(0, 3, -1, -1);
    assertThat(stream.changesOf("DEL __ct:{0}", "SADD s a b c")).isEmpty();
    assertThat(stream.changesOf("DEL __ct:{0}"))
        .containsExactly("MarkerLost[token=, preceding=0:0]");
  }

  // ---- events outside commands ----

  @Test
  void comparedChangesArePublishedWithTheTimeLastKnown() {
    stream.run("SET __ct:beacon 900000");
    stream.interpreter.position("new", -1, 0);
    stream.interpreter.publish(key("a"), new Change.StringSet(bytes("v"), 0, false), 5000, 3);
    stream.interpreter.sealUnit(-1);
    ChangeEvent event = stream.lastEvent();
    assertThat(event.position()).isEqualTo(new StreamPosition("new", 5000, 3));
    assertThat(event.stamp().physicalMillis()).isEqualTo(900_000);
    assertThat(stream.shadow.key(0, bytes("a")).exists()).isFalse();
    stream.shadow.commitThrough(stream.lastUnit);
    assertThat(stream.shadow.committed()).isNotNull().matches(at -> !at.hasPosition());
  }
}
