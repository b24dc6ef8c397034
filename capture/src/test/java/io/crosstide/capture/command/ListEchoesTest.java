package io.crosstide.capture.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ListEchoesTest {
  private static final Origin OTHER = Origin.of(2);

  private final InMemoryShadow shadow = new InMemoryShadow();
  private final Stream stream = new Stream(shadow);
  private final Lists lists = new Lists(stream);
  private long writes;

  private Bytes between(@Nullable Bytes left, @Nullable Bytes right) {
    return ListPosition.between(left, right, OTHER, ++writes, Side.AFTER_LEFT);
  }

  private Bytes at(long index) {
    return lists.position("l", index);
  }

  private static Change.ListHolds holds(Bytes position, Content content, long misplaced) {
    return new Change.ListHolds(Stream.key("l"), position, content, misplaced);
  }

  @Test
  void anInsertionIsFollowedAtItsPlaceAndIsNoEvent() {
    stream.run("RPUSH l a b c");
    Bytes position = between(at(1), at(2));
    assertThat(lists.batch().told('i', "l", -2, position).run("RPOP l 1", "RPUSH l X c").exec())
        .isEmpty();
    assertThat(lists.inShadow("l")).containsExactly("a", "b", "X", "c");
    assertThat(at(2)).isEqualTo(position);
    Bytes head = between(null, at(0));
    assertThat(lists.batch().told('i', "l", 0, head).run("LPUSH l H").exec()).isEmpty();
    Bytes middle = between(at(1), at(2));
    assertThat(
            lists
                .batch()
                .told('i', "l", 2, middle)
                .run("LSET l 3 token", "LINSERT l BEFORE token M", "LSET l 4 X")
                .exec())
        .isEmpty();
    assertThat(lists.inShadow("l")).containsExactly("H", "a", "M", "b", "X", "c");
    assertThat(stream.shadow.mismatches()).isZero();
  }

  @Test
  void aListIsMadeAndEmptied() {
    Bytes position = between(null, null);
    lists.batch().told('i', "l", 0, position).run("RPUSH l a").exec();
    assertThat(lists.inShadow("l")).containsExactly("a");
    lists.batch().told('r', "l", 0, position).run("LPOP l").exec();
    assertThat(stream.shadow.key(0, Bytes.utf8("l")).exists()).isFalse();
    assertThat(stream.events).isEmpty();
    assertThat(stream.changesOf("RPUSH l b")).hasSize(1);
  }

  @Test
  void aRemovalAndAReplacementAreFollowed() {
    stream.run("RPUSH l a b c");
    lists
        .batch()
        .told('r', "l", 1, at(1))
        .run("LSET l 1 token", "LREM l 1 token")
        .told('s', "l", -1, at(2))
        .run("LSET l -1 C");
    assertThat(lists.exec()).isEmpty();
    assertThat(lists.inShadow("l")).containsExactly("a", "C");
  }

  @Test
  void amongEqualElementsItMakesNoDifferenceWhichOneWasMet() {
    stream.run("RPUSH l a x x x b");
    Bytes third = at(3);
    assertThat(lists.batch().told('r', "l", 1, third).run("LREM l 1 x").exec()).isEmpty();
    assertThat(lists.list("l").find(third)).isNull();
    assertThat(lists.inShadow("l")).containsExactly("a", "x", "x", "b");
    Bytes position = between(at(1), at(2));
    assertThat(lists.batch().told('i', "l", 3, position).run("LINSERT l BEFORE b x").exec())
        .isEmpty();
    assertThat(at(2)).isEqualTo(position);
    Bytes first = between(at(0), at(1));
    assertThat(lists.batch().told('i', "l", 4, first).run("LINSERT l BEFORE b x").exec()).isEmpty();
    assertThat(at(1)).isEqualTo(first);
    Bytes last = between(at(4), at(5));
    assertThat(lists.batch().told('i', "l", 1, last).run("LINSERT l AFTER a x").exec()).isEmpty();
    assertThat(at(5)).isEqualTo(last);
    assertThat(lists.inShadow("l")).containsExactly("a", "x", "x", "x", "x", "x", "b");
  }

  @Test
  void aRemovalThatMetAnEqualElementElsewhereHasTakenTheOneMeant() {
    stream.run("RPUSH l x a x b");
    Bytes first = at(0);
    Bytes second = at(2);
    assertThat(lists.batch().told('r', "l", 2, first).run("LREM l -1 x").exec())
        .containsExactly(holds(second, Content.utf8("x"), 0), holds(first, Content.ABSENT, -1));
    assertThat(lists.inShadow("l")).containsExactly("x", "a", "b");
    assertThat(at(0)).isEqualTo(second);
  }

  @Test
  void aRemovalThatMetAnotherElementIsReported() {
    stream.run("RPUSH l y a x b");
    Bytes first = at(0);
    Bytes third = at(2);
    assertThat(lists.batch().told('r', "l", 2, first).run("LREM l -1 x").exec())
        .containsExactly(holds(third, Content.ABSENT, -1), holds(first, Content.utf8("y"), -1));
    Bytes gone = between(first, at(1));
    assertThat(lists.batch().told('r', "l", 0, gone).run("LPOP l").exec())
        .containsExactly(holds(first, Content.ABSENT, -1));
  }

  @Test
  void ofTwoThatAreOutOfOrderTheOneIsReportedThatIsInTheWay() {
    stream.run("RPUSH l a b c d");
    Bytes second = at(1);
    Bytes third = at(2);
    Bytes position = between(third, at(3));
    // It belongs behind c and comes before it: but for c it would be where it belongs.
    assertThat(lists.batch().told('i', "l", 2, position).run("LINSERT l AFTER b X").exec())
        .containsExactly(holds(third, Content.utf8("c"), 3));
    assertThat(at(1)).isEqualTo(second);
    assertThat(at(2)).isEqualTo(position);
  }

  @Test
  void anInsertionOutOfOrderIsReportedWithItsIndex() {
    stream.run("RPUSH l a b c d");
    Bytes position = between(at(0), at(1));
    assertThat(lists.batch().told('i', "l", 3, position).run("LINSERT l BEFORE d X").exec())
        .containsExactly(holds(position, Content.utf8("X"), 3));
    assertThat(lists.inShadow("l")).containsExactly("a", "b", "c", "X", "d");
    // The owner takes it away and puts it where it belongs.
    assertThat(
            lists
                .batch()
                .told('r', "l", 3, position)
                .run("LREM l 1 X")
                .told('i', "l", 1, position)
                .run("LINSERT l AFTER a X")
                .exec())
        .isEmpty();
    assertThat(lists.inShadow("l")).containsExactly("a", "X", "b", "c", "d");
  }

  @Test
  void whatIsReportedIsWhatHoldsAfterTheWholeBatch() {
    stream.run("RPUSH l a b c d");
    Bytes position = between(at(0), at(1));
    assertThat(
            lists
                .batch()
                .told('i', "l", 3, position)
                .run("LINSERT l BEFORE d X")
                .told('r', "l", 3, position)
                .run("LREM l 1 X")
                .exec())
        .containsExactly(holds(position, Content.ABSENT, -1));
  }

  @Test
  void aLocalInsertionBesideAMisplacedElementHasAPlace() {
    stream.run("RPUSH l a b c d");
    Bytes position = between(null, at(0));
    lists.batch().told('i', "l", 2, position).run("LINSERT l AFTER b X").exec();
    stream.run("LINSERT l AFTER X n").run("LINSERT l BEFORE X m").run("LSET l 3 Y");
    assertThat(lists.inShadow("l")).containsExactly("a", "b", "m", "Y", "n", "c", "d");
    assertThat(at(3)).isEqualTo(position);
    assertThat(List.of(at(1), at(2), at(4), at(5))).isSorted();
    assertThat(lists.batch().told('p', "l", 0, position).exec())
        .containsExactly(holds(position, Content.utf8("Y"), 3));
  }

  @Test
  void aSecondCopyIsNobodysAndIsReported() {
    stream.run("RPUSH l a b");
    Bytes held = at(0);
    List<Change.ListHolds> reports = lists.batch().told('i', "l", 2, held).run("RPUSH l a").exec();
    assertThat(lists.inShadow("l")).containsExactly("a", "b", "a");
    assertThat(reports)
        .containsExactly(holds(at(2), Content.utf8("a"), -1), holds(held, Content.utf8("a"), -1));
    assertThat(at(2)).isNotEqualTo(held);
    Bytes nobodys = at(2);
    assertThat(lists.batch().told('r', "l", -1, nobodys).run("RPOP l").exec()).isEmpty();
    assertThat(lists.inShadow("l")).containsExactly("a", "b");
  }

  @Test
  void aReplacementThatMetAnotherElementIsReported() {
    stream.run("RPUSH l x a x");
    Bytes first = at(0);
    Bytes third = at(2);
    assertThat(lists.batch().told('s', "l", 2, first).run("LSET l 2 y").exec())
        .containsExactly(holds(third, Content.utf8("x"), 0), holds(first, Content.utf8("y"), 2));
    assertThat(lists.inShadow("l")).containsExactly("x", "a", "y");
  }

  @Test
  void aQuestionIsAnsweredBeforeTheMarkerIsToldOf() {
    stream.run("RPUSH l " + "v".repeat(65) + " b");
    Bytes position = at(0);
    Bytes none = between(null, position);
    List<Change.ListHolds> reports =
        lists.batch().told('p', "l", 0, position).told('p', "l", 0, none).exec();
    assertThat(reports)
        .containsExactly(
            holds(position, Content.utf8("v".repeat(65)), -1), holds(none, Content.ABSENT, -1));
    assertThat(reports.get(0).content().isDigestOnly()).isTrue();
    assertThat(stream.lastEvent().fx()).hasToString("1:1");
    assertThat(stream.markersSeen).containsExactly("0 1:1");
  }

  @Test
  void ofAListOfUnknownContentsNothingIsSaid() {
    stream.run("RPUSH l a b");
    shadow.key(0, Bytes.utf8("l")).markUnknown(io.crosstide.capture.shadow.ShadowType.LIST);
    Bytes position = between(null, null);
    assertThat(
            lists
                .batch()
                .told('p', "l", 0, position)
                .told('i', "l", 0, position)
                .run("LPUSH l x")
                .told('r', "l", 5, position)
                .run("LPOP l")
                .exec())
        .isEmpty();
    assertThat(shadow.mismatches()).isZero();
  }

  @Test
  void whereAnIndexCannotBeTheListIsReadBack() {
    stream.run("RPUSH l a b");
    lists.batch().told('r', "l", 7, at(0)).run("LPOP l").exec();
    assertThat(shadow.mismatches()).isEqualTo(1);
    assertThat(stream.wanted).containsExactly(Stream.key("l"));
  }

  @Test
  void reportsThatTheLogHoldsAreNotRepeated() {
    shadow.commitThrough(stream.lastUnit);
    stream.run("RPUSH l x a x");
    Bytes first = at(0);
    lists.batch().told('r', "l", 2, first).run("RPOP l").exec();
    stream.run("RPUSH l z");
    Stream again = new Stream(shadow.crashed(), 2);
    again.interpreter.sequencer().logEnd(0, 4, -1, -1);
    again.run("RPUSH l x a x");
    Lists of = new Lists(again);
    assertThat(of.batch().told('r', "l", 2, first).run("RPOP l").exec()).isEmpty();
    again.run("RPUSH l z");
    assertThat(again.events).isEmpty();
    assertThat(of.inShadow("l")).containsExactly("x", "a", "z");
    // Nothing after it is known to be in the log: it may be missing there too.
    Stream unsure = new Stream(shadow.crashed(), 3);
    unsure.interpreter.sequencer().logEnd(0, 3, -1, -1);
    unsure.run("RPUSH l x a x");
    assertThat(new Lists(unsure).batch().told('r', "l", 2, first).run("RPOP l").exec()).hasSize(2);
  }

  @Test
  void whatIsNoMessageOfTheFunctionTakesTheMarkerAway() {
    lists.batch();
    stream.run("HSET __ct:{0} l nonsense").run("EXEC");
    assertThat(stream.lastEvent().change()).isInstanceOf(Change.MarkerLost.class);
    // Outside of a batch it means nothing.
    stream.run("RPUSH l a").run("HSET __ct:{0} l x");
    assertThat(lists.inShadow("l")).containsExactly("a");
  }

  @Test
  void listsInOtherDatabasesAreFollowed() {
    Bytes position = between(null, null);
    lists.batch();
    stream.run(
        new byte[][] {
          "HSET".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
          "__ct:{0}".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
          {'l'},
          Lists.payload('i', 3, "l", 0, position)
        });
    lists.run("SELECT 3", "RPUSH l a", "SELECT 0").exec();
    assertThat(stream.shadow.key(3, Bytes.utf8("l")).count()).isEqualTo(1);
    assertThat(stream.events).isEmpty();
  }
}
