package io.crosstide.capture.shadow;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds for every shadow, wherever its rows are. */
abstract class ShadowContract {
  Shadow shadow;

  /** A new, empty shadow. */
  abstract Shadow create();

  /** The shadow as a process finds it that starts after the one with {@code dying} was killed. */
  abstract Shadow afterCrash(Shadow dying);

  @BeforeEach
  void open() {
    shadow = create();
  }

  @AfterEach
  void close() {
    shadow.close();
  }

  static Bytes b(String text) {
    return Bytes.utf8(text);
  }

  ShadowKey key(String name) {
    return shadow.key(0, b(name));
  }

  static Checkpoint at(long offset) {
    return new Checkpoint("id", offset, 3, 42, HybridTimestamp.of(7, 1));
  }

  /** Ends the unit, commits it, and goes on as another process. */
  void restart() {
    shadow.commitThrough(shadow.seal(at(1)));
    shadow = afterCrash(shadow);
  }

  List<String> names(int db) {
    List<String> names = new ArrayList<>();
    try (ShadowCursor keys = shadow.keys(db)) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        names.add(key.name().text());
      }
    }
    return names;
  }

  static List<String> drain(ElementCursor cursor) {
    List<String> names = new ArrayList<>();
    try (cursor) {
      while (cursor.next()) {
        names.add(cursor.name().text());
      }
    }
    return names;
  }

  // ---- keys and elements ----

  @Test
  void aStringKeepsItsValueOrItsDigest() {
    key("short").setString(b("v"));
    key("long").setString(b("x".repeat(65)));
    key("empty").setString(Bytes.EMPTY);
    restart();
    assertThat(key("short").content()).isEqualTo(Content.utf8("v"));
    assertThat(key("long").content())
        .isEqualTo(Content.utf8("x".repeat(65)))
        .matches(Content::isDigestOnly);
    assertThat(key("empty").content()).isEqualTo(Content.PRESENT);
    assertThat(key("none").exists()).isFalse();
  }

  @Test
  void aHashKeepsItsFields() {
    assertThat(key("h").putField(b("f"), b("v"))).isTrue();
    assertThat(key("h").putField(b("f"), b("w"))).isFalse();
    assertThat(key("h").putField(b("long"), b("x".repeat(65)))).isTrue();
    restart();
    assertThat(key("h").count()).isEqualTo(2);
    assertThat(key("h").field(b("f"))).isEqualTo(Content.utf8("w"));
    assertThat(key("h").field(b("long"))).isEqualTo(Content.utf8("x".repeat(65)));
    assertThat(key("h").field(b("none"))).isEqualTo(Content.ABSENT);
  }

  @Test
  void aSetKeepsItsMembers() {
    assertThat(key("s").addMember(b("m"))).isTrue();
    assertThat(key("s").addMember(b("m"))).isFalse();
    restart();
    assertThat(key("s").addMember(b("m"))).isFalse();
    assertThat(key("s").hasMember(b("m"))).isTrue();
    assertThat(key("s").count()).isEqualTo(1);
  }

  @Test
  void aSortedSetIsFoundByMemberAndByScore() {
    double[] scores = {
      3, -1.5, Double.NEGATIVE_INFINITY, 0, Double.POSITIVE_INFINITY, -0.0, 1e-300
    };
    for (int i = 0; i < scores.length; i++) {
      key("z").putScore(b("m" + i), scores[i]);
    }
    restart();
    key("z").putScore(b("m0"), -7);
    assertThat(key("z").score(b("m1"))).isEqualTo(-1.5);
    assertThat(key("z").score(b("none"))).isNaN();
    assertThat(drain(key("z").byScore(false)))
        .containsExactly("m2", "m0", "m1", "m3", "m5", "m6", "m4");
    assertThat(drain(key("z").byScore(true)))
        .containsExactly("m4", "m6", "m5", "m3", "m1", "m0", "m2");
    assertThat(drain(key("z").fromScore(0))).containsExactly("m3", "m5", "m6", "m4");
    assertThat(drain(key("z").elementsFrom(b("m5")))).containsExactly("m5", "m6");
  }

  @Test
  void theLastElementTakesKeyAndDeadlineWithIt() {
    key("s").addMember(b("m"));
    key("s").deadline(99);
    assertThat(key("s").remove(b("other"))).isFalse();
    assertThat(key("s").remove(b("m"))).isTrue();
    assertThat(key("s").exists()).isFalse();
    key("s").addMember(b("n"));
    restart();
    assertThat(key("s").deadlineMillis()).isZero();
    assertThat(drain(key("s").elements())).containsExactly("n");
  }

  @Test
  void deadlinesAreKeptUntilTheKeyGoes() {
    key("a").setString(b("v"));
    key("a").deadline(99);
    restart();
    assertThat(key("a").deadlineMillis()).isEqualTo(99);
    key("a").setString(b("w"));
    assertThat(key("a").deadlineMillis()).isEqualTo(99);
    key("a").delete();
    key("a").setString(b("v"));
    assertThat(key("a").deadlineMillis()).isZero();
    key("none").deadline(5);
    assertThat(key("none").exists()).isFalse();
  }

  @Test
  void aCollectionMadeAgainIsEmptyWhateverItsSize() {
    for (int size : new int[] {3, Shadow.ROW_BY_ROW_MAX + 5}) {
      for (int i = 0; i < size; i++) {
        key("z").putScore(b("m" + i), i);
      }
      restart();
      key("z").delete();
      key("z").putScore(b("n"), 1);
      assertThat(drain(key("z").elements())).containsExactly("n");
      restart();
      assertThat(drain(key("z").elements())).containsExactly("n");
      assertThat(drain(key("z").byScore(false))).containsExactly("n");
      key("z").setString(b("v"));
      assertThat(drain(key("z").elements())).isEmpty();
      key("z").delete();
    }
  }

  @Test
  void unknownContentsAreMarkedUntilTheKeyIsReplaced() {
    key("s").addMember(b("m"));
    key("s").deadline(99);
    key("s").markUnknown(ShadowType.SET);
    restart();
    assertThat(key("s").exact()).isFalse();
    assertThat(key("s").hasMember(b("m"))).isTrue();
    assertThat(key("s").deadlineMillis()).isEqualTo(99);
    key("s").remove(b("m"));
    assertThat(key("s").exists()).isTrue();
    key("s").setString(b("v"));
    assertThat(key("s").exact()).isTrue();
    key("l").markOpaque();
    key("l").addMember(b("m"));
    assertThat(key("l").exact()).isFalse();
    assertThat(shadow.mismatches()).isZero();
    key("s").addMember(b("m"));
    assertThat(shadow.mismatches()).isEqualTo(1);
    assertThat(key("s").exact()).isFalse();
  }

  @Test
  void namesOfAnyBytesAndLengthAreKept() {
    byte[] zeros = new byte[3];
    byte[] high = new byte[300];
    Arrays.fill(high, (byte) 0xff);
    List<Bytes> names =
        List.of(
            Bytes.EMPTY,
            Bytes.wrap(new byte[1]),
            Bytes.wrap(zeros),
            b("a"),
            b("a\u0000"),
            b("a\u0000b"),
            b("ab"),
            b("x".repeat(ShadowNames.RAW_MAX)),
            b("x".repeat(ShadowNames.RAW_MAX + 1)),
            b("x".repeat(100_000)),
            Bytes.wrap(high));
    for (Bytes name : names) {
      for (Bytes element : names) {
        shadow.key(1, name).putField(element, b("v"));
      }
    }
    restart();
    List<Bytes> found = new ArrayList<>();
    try (ShadowCursor keys = shadow.keys()) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        assertThat(key.db()).isEqualTo(1);
        assertThat(key.count()).isEqualTo(names.size());
        found.add(key.name());
        List<Bytes> elements = new ArrayList<>();
        try (ElementCursor cursor = key.elements()) {
          while (cursor.next()) {
            elements.add(cursor.name());
            assertThat(cursor.content()).isEqualTo(Content.utf8("v"));
          }
        }
        assertThat(elements).hasSize(names.size()).isSortedAccordingTo(ShadowNames::compare);
        assertThat(elements).containsExactlyInAnyOrderElementsOf(names);
      }
    }
    assertThat(found).isSortedAccordingTo(ShadowNames::compare);
    assertThat(found).containsExactlyInAnyOrderElementsOf(names);
  }

  @Test
  void longNamesWorkInSortedSetsAndStringsToo() {
    String longName = "y".repeat(10_000);
    key(longName).setString(b("v"));
    key(longName).deadline(77);
    key("z").putScore(b(longName), 2);
    key("z").putScore(b("y"), 1);
    restart();
    assertThat(names(0)).containsExactly(longName, "z");
    assertThat(key(longName).deadlineMillis()).isEqualTo(77);
    assertThat(drain(key("z").byScore(false))).containsExactly("y", longName);
    assertThat(key("z").remove(b(longName))).isTrue();
    assertThat(drain(key("z").byScore(false))).containsExactly("y");
  }

  // ---- lists ----

  @Test
  void randomWorkOnAListIsWhatANaiveListSays() {
    for (long seed = 1; seed <= 12; seed++) {
      new ListModel(seed).run(this::create, this::afterCrash, 400);
    }
  }

  @Test
  void theEndsOfALongListCostAFewRowsAndNoWalk() {
    for (int i = 0; i < 20_000; i++) {
      key("l").list().append(Content.utf8("v" + i));
    }
    restart();
    for (int i = 0; i < 100; i++) {
      int before = shadow.waitingRows();
      ShadowList list = key("l").list();
      list.remove(requireNonNull(list.first()));
      list.append(Content.utf8("n" + i));
      assertThat(requireNonNull(list.at(0)).content()).isEqualTo(Content.utf8("v" + (i + 1)));
      assertThat(requireNonNull(list.at(-1)).content()).isEqualTo(Content.utf8("n" + i));
      shadow.seal(at(2));
      // The element gone, the one that came, and the header.
      assertThat(shadow.waitingRows() - before).isLessThanOrEqualTo(3);
    }
    assertThat(key("l").count()).isEqualTo(20_000);
  }

  @Test
  void whatWasPutAndTakenAtAnEndIsNotWalkedOverAgain() {
    for (int i = 0; i < 20; i++) {
      key("l").list().append(Content.utf8("v" + i));
    }
    restart();
    assertThat(key("l").list().last()).isNotNull();
    for (int i = 0; i < 100; i++) {
      ShadowList list = key("l").list();
      list.append(Content.utf8("n" + i));
      list.remove(requireNonNull(list.last()));
      for (int skip = 0; skip < ListEnds.ROWS_MAX - 1; skip++) {
        assertThat(shadow.listEnds().row(key("l").generation(), true, skip)).isNotNull();
      }
    }
  }

  @Test
  void aListIsRenamedCopiedAndDroppedWithItsMisplacedElements() {
    ShadowList list = key("l").list();
    list.append(Content.utf8("a"));
    list.append(Content.utf8("c"));
    Bytes first = requireNonNull(list.first()).place();
    Bytes last = requireNonNull(list.last()).place();
    Bytes behind = ShadowList.placeBetween(last, null);
    list.insert(first, last, behind, Content.utf8("b"));
    shadow.rename(0, b("l"), b("m"));
    shadow.copy(0, b("m"), 1, b("n"));
    restart();
    for (ShadowKey key : List.of(shadow.key(0, b("m")), shadow.key(1, b("n")))) {
      ShadowList.Entry found = requireNonNull(shadow.key(key.db(), key.name()).list().find(behind));
      assertThat(found.isMisplaced()).isTrue();
      assertThat(found.content()).isEqualTo(Content.utf8("b"));
      assertThat(contents(key.db(), key.name())).containsExactly("a", "b", "c");
    }
    key("m").delete();
    assertThat(key("m").list().first()).isNull();
    assertThat(key("m").list().find(behind)).isNull();
    key("m").list().append(Content.utf8("z"));
    restart();
    assertThat(contents(0, b("m"))).containsExactly("z");
    assertThat(key("m").list().find(behind)).isNull();
  }

  private List<String> contents(int db, Bytes name) {
    List<String> contents = new ArrayList<>();
    try (ElementCursor cursor = shadow.key(db, name).elements()) {
      while (cursor.next()) {
        contents.add(requireNonNull(cursor.content().value()).text());
      }
    }
    return contents;
  }

  // ---- handles and cursors ----

  @Test
  void aHandleThatWasLeftRefusesWrites() {
    ShadowKey left = key("a");
    left.setString(b("v"));
    key("b").setString(b("w"));
    assertThatThrownBy(() -> left.setString(b("x")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("key a was left");
    assertThat(key("a").content()).isEqualTo(Content.utf8("v"));
  }

  @Test
  void aCursorSeesTheLiveHandlesKey() {
    shadow.key(5, b("only")).setString(b("v"));
    assertThat(names(5)).containsExactly("only");
    shadow.key(6, b("only")).addMember(b("m"));
    try (ShadowCursor keys = shadow.keys()) {
      assertThat(keys.next()).isNotNull().extracting(ShadowKey::db).isEqualTo(5);
      assertThat(keys.next()).isNotNull().extracting(ShadowKey::db).isEqualTo(6);
      assertThat(keys.next()).isNull();
    }
  }

  @Test
  void keysMayBeWrittenSealedAndCommittedDuringAWalk() {
    for (int i = 10; i < 40; i++) {
      key("k" + i).addMember(b("m"));
      if (i % 3 == 0) {
        shadow.commitThrough(shadow.seal(at(i)));
      }
    }
    List<String> seen = new ArrayList<>();
    try (ShadowCursor keys = shadow.keys(0)) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        seen.add(key.name().text());
        if (seen.size() % 2 == 0) {
          key.delete();
        } else {
          key.addMember(b("n"));
        }
        if (seen.size() % 5 == 0) {
          shadow.commitThrough(shadow.seal(at(100 + seen.size())));
        }
      }
    }
    assertThat(seen).hasSize(30).isSorted().doesNotHaveDuplicates();
    assertThat(names(0)).hasSize(15);
  }

  @Test
  void elementsMayBeRemovedDuringAWalkInEitherDirection() {
    for (boolean descending : new boolean[] {false, true}) {
      for (int i = 10; i < 40; i++) {
        key("z").putScore(b("m" + i), i % 7);
        if (i % 4 == 0) {
          shadow.commitThrough(shadow.seal(at(i)));
        }
      }
      List<String> seen = new ArrayList<>();
      try (ElementCursor members = key("z").byScore(descending)) {
        while (members.next()) {
          seen.add(members.name().text());
          assertThat(key("z").remove(members.name())).isTrue();
          if (seen.size() % 5 == 0) {
            shadow.commitThrough(shadow.seal(at(100 + seen.size())));
          }
        }
      }
      assertThat(seen).hasSize(30).doesNotHaveDuplicates();
      assertThat(key("z").exists()).isFalse();
    }
  }

  // ---- databases and names ----

  @Test
  void databasesAreApart() {
    for (int db : new int[] {0, 9, 15}) {
      shadow.key(db, b("k")).setString(b("v" + db));
    }
    shadow.clear(9);
    shadow.clear(1);
    restart();
    assertThat(shadow.key(0, b("k")).content()).isEqualTo(Content.utf8("v0"));
    assertThat(shadow.key(9, b("k")).exists()).isFalse();
    assertThat(shadow.key(15, b("k")).content()).isEqualTo(Content.utf8("v15"));
    shadow.swap(15, 9);
    shadow.swap(0, 3);
    restart();
    assertThat(names(15)).isEmpty();
    assertThat(shadow.key(9, b("k")).content()).isEqualTo(Content.utf8("v15"));
    assertThat(shadow.key(3, b("k")).content()).isEqualTo(Content.utf8("v0"));
  }

  @Test
  void aFlushedDatabaseStaysEmptyOnDisk() {
    for (int i = 0; i < 20; i++) {
      key("k" + i).putScore(b("m"), i);
    }
    restart();
    shadow.clear(0);
    key("k3").putScore(b("n"), 1);
    restart();
    assertThat(names(0)).containsExactly("k3");
    assertThat(drain(key("k3").elements())).containsExactly("n");
  }

  @Test
  void renameMovesAndCopyDoubles() {
    key("a").putScore(b("m"), 1);
    key("a").deadline(99);
    key("b").setString(b("v"));
    shadow.rename(0, b("a"), b("b"));
    shadow.copy(0, b("b"), 2, b("c"));
    key("b").putScore(b("n"), 2);
    restart();
    assertThat(names(0)).containsExactly("b");
    assertThat(drain(key("b").byScore(false))).containsExactly("m", "n");
    assertThat(key("b").deadlineMillis()).isEqualTo(99);
    assertThat(drain(shadow.key(2, b("c")).byScore(false))).containsExactly("m");
    assertThat(shadow.key(2, b("c")).deadlineMillis()).isEqualTo(99);
    shadow.rename(0, b("none"), b("b"));
    assertThat(key("b").exists()).isFalse();
  }

  // ---- size ----

  @Test
  void anOperationOnALargeCollectionTouchesAFewRows() {
    for (int i = 0; i < 20_000; i++) {
      key("z").putScore(b("m" + i), i);
    }
    restart();
    int before = shadow.waitingRows();
    key("z").putScore(b("m77"), 5);
    shadow.seal(at(2));
    // The member, its old and its new place by score, and the header.
    assertThat(shadow.waitingRows() - before).isLessThanOrEqualTo(4);
    before = shadow.waitingRows();
    shadow.rename(0, b("z"), b("y"));
    key("y").delete();
    shadow.clear(0);
    shadow.seal(at(3));
    assertThat(shadow.waitingRows() - before).isLessThanOrEqualTo(4);
  }

  @Test
  void aSetOfAStringTouchesOneRow() {
    key("a").setString(b("v"));
    restart();
    key("a").setString(b("w"));
    shadow.seal(at(2));
    assertThat(shadow.waitingRows()).isEqualTo(1);
  }

  @Test
  void aQueueIsFoundFromBothEndsWhateverIsAddedAndTaken() {
    TreeMap<Double, String> expected = new TreeMap<>();
    Random random = new Random(5);
    for (int i = 0; i < 3000; i++) {
      double score = random.nextInt(1000) - 500.0 + i / 10_000.0;
      key("z").putScore(b("m" + i), score);
      expected.put(score, "m" + i);
      while (expected.size() > 1 && random.nextInt(5) < 3) {
        boolean descending = random.nextBoolean();
        try (ElementCursor members =
            !descending && random.nextBoolean()
                ? key("z").fromScore(expected.firstKey() - random.nextInt(3))
                : key("z").byScore(descending)) {
          assertThat(members.next()).isTrue();
          var end = descending ? expected.pollLastEntry() : expected.pollFirstEntry();
          assertThat(members.name().text()).isEqualTo(end.getValue());
          key("z").remove(members.name());
        }
      }
      if (i % 50 == 0) {
        shadow.commitThrough(shadow.seal(at(i)));
      }
    }
    assertThat(drain(key("z").byScore(false))).containsExactlyElementsOf(expected.values());
    double middle = expected.keySet().stream().skip(expected.size() / 2).findFirst().orElseThrow();
    assertThat(drain(key("z").fromScore(middle)))
        .containsExactlyElementsOf(expected.tailMap(middle).values());
  }

  // ---- units ----

  @Test
  void whatWasNotCommittedIsGoneAfterACrash() {
    assertThat(shadow.committed()).isNull();
    key("a").setString(b("1"));
    shadow.meta("m", new byte[] {1});
    long first = shadow.seal(at(10));
    key("a").setString(b("2"));
    key("b").addMember(b("m"));
    shadow.meta("m", new byte[] {2});
    long second = shadow.seal(at(20));
    key("a").setString(b("3"));
    assertThat(second).isGreaterThan(first);
    shadow.commitThrough(first);
    assertThat(key("a").content()).isEqualTo(Content.utf8("3"));
    shadow = afterCrash(shadow);
    assertThat(shadow.committed()).isEqualTo(at(10));
    assertThat(key("a").content()).isEqualTo(Content.utf8("1"));
    assertThat(key("b").exists()).isFalse();
    assertThat(shadow.meta("m")).containsExactly(1);
  }

  @Test
  void anOpenUnitCannotBeCommitted() {
    long sealed = shadow.seal(at(10));
    key("a").setString(b("1"));
    assertThatThrownBy(() -> shadow.commitThrough(sealed + 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not sealed");
  }

  @Test
  void committingTwiceChangesNothing() {
    key("a").setString(b("1"));
    long unit = shadow.seal(at(10));
    shadow.commitThrough(unit);
    shadow.commitThrough(unit);
    shadow.commitThrough(unit - 1);
    assertThat(shadow.committed()).isEqualTo(at(10));
    assertThat(shadow.waitingRows()).isZero();
  }

  @Test
  void generationsAreNotUsedAgainAfterACrash() {
    for (int round = 0; round < 5; round++) {
      key("s" + round).addMember(b("old"));
      shadow.commitThrough(shadow.seal(at(round)));
      key("t").addMember(b("lost"));
      shadow.seal(at(100));
      shadow = afterCrash(shadow);
      key("u" + round).addMember(b("new"));
    }
    shadow.commitThrough(shadow.seal(at(200)));
    for (int round = 0; round < 4; round++) {
      assertThat(drain(key("s" + round).elements())).containsExactly("old");
      assertThat(drain(key("u" + round).elements())).containsExactly("new");
    }
    assertThat(key("t").exists()).isFalse();
  }

  @Test
  void randomWorkWithCrashesIsWhatANaiveMapSays() {
    for (long seed = 1; seed <= 8; seed++) {
      new ShadowModel(seed).run(this::create, this::afterCrash, 1500).close();
    }
  }

  @Test
  void noMemberStandsAboveTheHighestScore() {
    key("z").putScore(b("a"), 1);
    assertThat(drain(key("z").byScore(true))).containsExactly("a");
    assertThat(drain(key("z").fromScore(2))).isEmpty();
    assertThat(drain(key("z").fromScore(1))).containsExactly("a");
  }

  @Test
  void unresolvedKeysAreFoundUntilTheyAreResolvedWhateverHappensToTheirNames() {
    key("a").markUnresolved();
    key("b").markUnresolved();
    key("b").deadline(7);
    shadow.key(3, b("c")).markUnresolved();
    shadow.key(3, b("d")).setString(b("v"));
    restart();
    assertThat(unresolved()).containsExactly("a", "b", "3/c");
    assertThat(key("b").deadlineMillis()).isEqualTo(7);
    shadow.rename(0, b("b"), b("x"));
    shadow.copy(3, b("c"), 1, b("y"));
    shadow.rename(3, b("d"), b("c"));
    key("a").setString(b("w"));
    restart();
    assertThat(unresolved()).containsExactly("x", "1/y");
    shadow.swap(0, 1);
    assertThat(unresolved()).containsExactly("y", "1/x");
    shadow.clear(0);
    shadow.key(1, b("x")).delete();
    restart();
    assertThat(unresolved()).isEmpty();
  }

  private List<String> unresolved() {
    List<String> names = new ArrayList<>();
    for (RedisKey at = shadow.unresolvedAfter(null); at != null; at = shadow.unresolvedAfter(at)) {
      names.add(at.toString());
    }
    return names;
  }
}
