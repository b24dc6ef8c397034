package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

/**
 * Hand-written cases of SEMANTICS over whole keys; the generated ones are in KeyMergerProperties.
 */
class KeyMergerTest {
  private static final RedisKey KEY = RedisKey.of(0, "k");
  private static final Element STRING = Element.string(KEY);
  private static final Element DEADLINE = Element.deadline(KEY);
  private static final VersionVector NOTHING = VersionVector.EMPTY;

  private final EventLog us = new EventLog(1);
  private final EventLog eu = new EventLog(2);
  private final EventLog ap = new EventLog(3);
  private final MergeSite site = new MergeSite();

  private static Element member(String name) {
    return new Element(KEY, ElementKind.SET_MEMBER, Bytes.utf8(name));
  }

  private static Element field(String name) {
    return new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8(name));
  }

  private static Change set(String value) {
    return new Change.StringSet(Bytes.utf8(value), 0, false);
  }

  private static Change setWithDeadline(String value, long at) {
    return new Change.StringSet(Bytes.utf8(value), at, false);
  }

  private static Change add(String name) {
    return new Change.SetAdd(Bytes.utf8(name));
  }

  private static Change remove(String name) {
    return new Change.SetRemove(Bytes.utf8(name));
  }

  private static Change put(String name, String value) {
    return new Change.HashPut(Bytes.utf8(name), Bytes.utf8(value));
  }

  private static Change incr(long delta) {
    return new Change.StringAdd(BigDecimal.valueOf(delta), null);
  }

  private static Change expire(long at) {
    return new Change.DeadlineSet(at);
  }

  private static VersionVector seen(EventLog... logs) {
    VersionVector context = VersionVector.EMPTY;
    for (EventLog log : logs) {
      context = context.with(log.origin(), log.lastSeq());
    }
    return context;
  }

  // --- strings and numbers -----------------------------------------------------------------------

  private static Change set(Bytes value) {
    return new Change.StringSet(value, 0, false);
  }

  @Test
  void concurrentHyperLogLogsCountWhatEitherHasCounted() { // HLL-2
    ChangeEvent x = us.write(KEY, set(HyperLogLogsTest.X), NOTHING, 10);
    ChangeEvent y = eu.write(KEY, set(HyperLogLogsTest.Y), NOTHING, 20);
    Bytes union = HyperLogLogs.union(List.of(HyperLogLogsTest.X, HyperLogLogsTest.Y));
    site.receive(x, y);
    assertThat(site.shown.get(STRING)).isEqualTo(Content.of(Objects.requireNonNull(union)));
    assertThat(site.conflicts).isEmpty();
    site.receive(us.write(KEY, set("text"), seen(us), 30));
    assertThat(site.shown.get(STRING)).isEqualTo(Content.utf8("text"));
    assertThat(site.conflicts).containsExactly(STRING);
  }

  @Test
  void incrementsThatASetHadNotSeenAreAddedOnTopOfIt() { // STR-2
    site.receive(us.write(KEY, set("5"), NOTHING, 1));
    VersionVector both = seen(us);
    site.receive(us.write(KEY, set("10"), NOTHING, 2), eu.write(KEY, incr(1), both, 2));
    assertThat(site.wanted(STRING)).isEqualTo(Content.utf8("11"));
  }

  @Test
  void unseenIncrementsSurviveADelete() { // STR-3
    site.receive(us.write(KEY, set("5"), NOTHING, 1));
    VersionVector both = seen(us);
    site.receive(
        us.write(KEY, new Change.KeyDelete(), NOTHING, 2), eu.write(KEY, incr(1), both, 2));
    assertThat(site.wanted(STRING)).isEqualTo(Content.utf8("1"));
  }

  @Test
  void aNonNumericWinnerDropsIncrementsAndRecordsIt() { // STR-5
    site.receive(us.write(KEY, set("text"), NOTHING, 9), eu.write(KEY, incr(2), NOTHING, 2));
    assertThat(site.wanted(STRING)).isEqualTo(Content.utf8("text"));
    assertThat(site.conflicts).containsExactly(STRING);
  }

  @Test
  void atEqualStampsTheSmallerRegionIdWinsWhateverTheIncarnation() {
    EventLog rebuilt = new EventLog(new Origin(1, 0, 4));
    site.receive(rebuilt.write(KEY, set("smaller"), NOTHING, 7));
    site.receive(eu.write(KEY, set("larger"), NOTHING, 7));
    assertThat(site.wanted(STRING)).isEqualTo(Content.utf8("smaller"));
  }

  @Test
  void atEqualStampsTheTypeOfTheSmallerRegionIdWinsWhateverTheIncarnation() {
    EventLog rebuilt = new EventLog(new Origin(1, 0, 4));
    site.receive(rebuilt.write(KEY, set("smaller"), NOTHING, 7));
    site.receive(eu.write(KEY, add("m"), NOTHING, 7));
    assertThat(site.wanted(STRING)).isEqualTo(Content.utf8("smaller"));
    assertThat(site.wanted(member("m"))).isEqualTo(Content.ABSENT);
  }

  // --- collections -------------------------------------------------------------------------------

  @Test
  void aDeleteKeepsTheMemberItHadNotSeen() { // SET-3
    site.receive(us.write(KEY, add("e1"), NOTHING, 1));
    VersionVector both = seen(us);
    site.receive(us.write(KEY, add("e2"), NOTHING, 2));
    site.receive(eu.write(KEY, new Change.KeyDelete(), both, 2));
    assertThat(site.shown).containsOnlyKeys(member("e2"));
  }

  @Test
  void anAddBeatsAConcurrentRemove() {
    site.receive(us.write(KEY, add("a"), NOTHING, 1));
    VersionVector both = seen(us);
    ChangeEvent again = us.write(KEY, add("a"), NOTHING, 2);
    site.receive(eu.write(KEY, remove("a"), both, 3), again);
    assertThat(site.wanted(member("a"))).isEqualTo(Content.PRESENT);
  }

  @Test
  void theTypeOfTheNewestSurvivingWriteIsVisible() {
    site.receive(us.write(KEY, add("m"), NOTHING, 1), eu.write(KEY, put("f", "v"), NOTHING, 2));
    assertThat(site.shown).containsOnlyKeys(field("f"));
    assertThat(site.lastTouches)
        .extracting(MergeSite.Touch::element)
        .as("Redis refuses the field while the key is a set")
        .containsExactly(member("m"), field("f"));
  }

  @Test
  void theLosersTypeComesBackWhenTheWinnerIsDeleted() {
    site.receive(us.write(KEY, add("m"), NOTHING, 1), eu.write(KEY, put("f", "v"), NOTHING, 2));
    site.receive(eu.write(KEY, new Change.KeyDelete(), NOTHING, 3));
    assertThat(site.shown).containsOnlyKeys(member("m"));
  }

  // --- deadlines ---------------------------------------------------------------------------------

  @Test
  void theLongestOfConcurrentDeadlinesWinsAndPersistBeatsAll() { // TTL-1, TTL-2
    site.receive(us.write(KEY, add("m"), NOTHING, 1));
    VersionVector all = seen(us);
    site.receive(us.write(KEY, expire(10), NOTHING, 2), eu.write(KEY, expire(50), all, 2));
    assertThat(site.wanted(DEADLINE)).isEqualTo(Content.deadline(50));
    site.receive(ap.write(KEY, new Change.DeadlinePersist(), all, 2));
    assertThat(site.wanted(DEADLINE)).isEqualTo(Content.ABSENT);
  }

  @Test
  void aLosingSetsDeadlineDoesNotBindTheWinner() {
    site.receive(us.write(KEY, setWithDeadline("a", 10), NOTHING, 1));
    site.receive(eu.write(KEY, set("b"), NOTHING, 2));
    assertThat(site.shown).containsExactly(java.util.Map.entry(STRING, Content.utf8("b")));
  }

  @Test
  void aKeyMadeAnewHasNoneOfTheDeadlinesItsMakerHadSeen() {
    ChangeEvent made = us.write(KEY, add("m"), NOTHING, 1);
    site.receive(made);
    ChangeEvent expires = us.write(KEY, expire(100), NOTHING, 2);
    ChangeEvent deleted = eu.write(KEY, new Change.KeyDelete(), seen(us).with(us.origin(), 1), 2);
    site.receive(expires, deleted);
    assertThat(site.shown).isEmpty();
    ChangeEvent unseen = ap.write(KEY, expire(70), NOTHING, 2);
    ChangeEvent anew = eu.write(KEY, add("n"), seen(us), 3).creatingKey();
    site.receive(anew);
    assertThat(site.wanted(DEADLINE)).isEqualTo(Content.ABSENT);
    site.receive(unseen);
    assertThat(site.wanted(DEADLINE)).isEqualTo(Content.deadline(70));
  }

  @Test
  void theDeadlineIsToldAgainAfterAChangeOfTypeBecauseRedisDropsItWithTheOldKey() {
    site.receive(us.write(KEY, add("m"), NOTHING, 1), us.write(KEY, expire(100), NOTHING, 1));
    site.receive(eu.write(KEY, put("f", "v"), NOTHING, 2));
    assertThat(site.wanted(DEADLINE)).isEqualTo(Content.deadline(100));
    assertThat(site.lastTouches).extracting(MergeSite.Touch::element).contains(DEADLINE);
  }

  /** A set that keeps the deadline removes the string before it, and no deadline, seen or not. */
  @Test
  void aSupersededDeadlineAndSetsThatKeepItGiveTheSameBytesInEveryOrder() {
    ChangeEvent first = us.write(KEY, setWithDeadline("v", 50), NOTHING, 1);
    VersionVector early = seen(us);
    ChangeEvent second = us.write(KEY, expire(20), NOTHING, 2);
    ChangeEvent kept = eu.write(KEY, new Change.StringSet(Bytes.utf8("w"), 0, true), seen(us), 3);
    ChangeEvent keptEarly = ap.write(KEY, new Change.StringSet(Bytes.utf8("x"), 0, true), early, 5);
    ChangeEvent shortened = ap.write(KEY, expire(10), early, 6);
    List<List<ChangeEvent>> orders = new ArrayList<>();
    interleave(
        List.of(List.of(first, second), List.of(kept), List.of(keptEarly, shortened)),
        List.of(),
        orders);
    assertThat(orders).hasSize(30);
    SortedMap<String, String> bytes = null;
    for (List<ChangeEvent> order : orders) {
      MergeSite each = new MergeSite();
      order.forEach(each::receive);
      assertThat(each.wanted(STRING)).isEqualTo(Content.utf8("x"));
      assertThat(each.wanted(DEADLINE)).as("%s", order).isEqualTo(Content.deadline(20));
      each.collectGarbage();
      SortedMap<String, String> rows = each.rows.dump(row -> !MergeSite.waits(row));
      bytes = bytes == null ? rows : bytes;
      assertThat(rows).as("%s", order).isEqualTo(bytes);
    }
  }

  private static void interleave(
      List<List<ChangeEvent>> logs, List<ChangeEvent> done, List<List<ChangeEvent>> orders) {
    boolean isWhole = true;
    for (int log = 0; log < logs.size(); log++) {
      if (!logs.get(log).isEmpty()) {
        isWhole = false;
        List<ChangeEvent> longer = new ArrayList<>(done);
        longer.add(logs.get(log).get(0));
        List<List<ChangeEvent>> left = new ArrayList<>(logs);
        left.set(log, logs.get(log).subList(1, logs.get(log).size()));
        interleave(left, longer, orders);
      }
    }
    if (isWhole) {
      orders.add(done);
    }
  }

  // --- expiry ------------------------------------------------------------------------------------

  @Test
  void anExtensionThatTheExpiryHadNotSeenKeepsTheKey() { // TTL-3
    site.receive(us.write(KEY, add("m"), NOTHING, 1), us.write(KEY, expire(10), NOTHING, 1));
    VersionVector both = seen(us);
    site.receive(us.write(KEY, new Change.KeyExpire(10), NOTHING, 10));
    assertThat(site.shown).isEmpty();
    site.receive(eu.write(KEY, expire(50), both, 9));
    assertThat(site.shown).containsOnlyKeys(member("m"), DEADLINE);
    assertThat(site.wanted(DEADLINE)).isEqualTo(Content.deadline(50));
  }

  @Test
  void aMemberAddedBesideAnExpiryIsAllThatLives() { // TTL-4
    site.receive(us.write(KEY, add("m"), NOTHING, 1), us.write(KEY, expire(10), NOTHING, 1));
    VersionVector both = seen(us);
    site.receive(us.write(KEY, new Change.KeyExpire(10), NOTHING, 10));
    site.receive(eu.write(KEY, add("new"), both, 9));
    assertThat(site.shown).containsOnlyKeys(member("new"));
  }

  @Test
  void aDeadlineSetAfterTheExpiryDoesNotBringTheExpiredMembersBack() {
    site.receive(us.write(KEY, add("old"), NOTHING, 1), us.write(KEY, expire(10), NOTHING, 1));
    site.receive(us.write(KEY, new Change.KeyExpire(10), NOTHING, 10));
    // The same client goes on: the key is gone from its Redis, and it begins a new one.
    site.receive(us.write(KEY, add("new"), NOTHING, 11), us.write(KEY, expire(60), NOTHING, 11));
    assertThat(site.shown).containsOnlyKeys(member("new"), DEADLINE);
  }

  @Test
  void aDeadlineSetAfterTheExpiryInAnotherRegionDoesNotBringTheExpiredMembersBack() {
    site.receive(us.write(KEY, add("old"), NOTHING, 1), us.write(KEY, expire(10), NOTHING, 1));
    site.receive(us.write(KEY, new Change.KeyExpire(10), NOTHING, 10));
    VersionVector all = seen(us);
    site.receive(eu.write(KEY, add("new"), all, 11), eu.write(KEY, expire(60), all, 11));
    assertThat(site.shown).containsOnlyKeys(member("new"), DEADLINE);
  }

  /**
   * ap's extension keeps the key; ap, which never held b, then empties its key. Whether the expiry
   * was settled before or after that must not matter.
   */
  @Test
  void whenAnExpiryIsSettledMakesNoDifference() {
    ChangeEvent a = us.write(KEY, add("a"), NOTHING, 1);
    ChangeEvent b = eu.write(KEY, add("b"), NOTHING, 1);
    ChangeEvent deadline = us.write(KEY, expire(10), seen(eu), 2);
    VersionVector onlyA = VersionVector.of(us.origin(), 1);
    ChangeEvent extension = ap.write(KEY, expire(50), onlyA, 3);
    ChangeEvent expiry = us.write(KEY, new Change.KeyExpire(10), seen(eu), 10);
    VersionVector withoutB = seen(us);
    ChangeEvent emptied = ap.write(KEY, new Change.KeyDelete(), withoutB, 11);

    MergeSite early = new MergeSite();
    MergeSite late = new MergeSite();
    for (MergeSite each : java.util.List.of(early, late)) {
      each.receive(a, b, deadline, extension, expiry);
      // Every region has by now seen the expiry and published so.
      each.stable = each.merged;
    }
    early.collectGarbage();
    early.receive(emptied);
    late.receive(emptied);
    late.collectGarbage();
    assertThat(early.shown).isEqualTo(late.shown);
    assertThat(early.rows.dump(key -> true)).isEqualTo(late.rows.dump(key -> true));
  }

  @Test
  void settlingARefutedExpiryDoesNotBringBackTheDeadlineItCovers() {
    site.receive(us.write(KEY, add("m"), NOTHING, 1));
    VersionVector all = seen(us);
    site.receive(us.write(KEY, expire(10), NOTHING, 1), eu.write(KEY, expire(5), all, 1));
    // us expired the key at 10 without having seen eu's shorter deadline.
    site.receive(us.write(KEY, new Change.KeyExpire(10), NOTHING, 10));
    Content before = site.wanted(DEADLINE);
    site.stable = site.merged;
    site.collectGarbage();
    assertThat(site.wanted(DEADLINE)).isEqualTo(before);
  }

  @Test
  void settlingOneExpiryDoesNotChangeWhatAnotherHides() {
    ChangeEvent x = us.write(KEY, add("x"), NOTHING, 1);
    ChangeEvent usDeadline = us.write(KEY, expire(10), NOTHING, 2);
    ChangeEvent y = eu.write(KEY, add("y"), VersionVector.of(us.origin(), 1), 1);
    ChangeEvent euDeadline = eu.write(KEY, expire(5), VersionVector.of(us.origin(), 1), 1);
    ChangeEvent euExpiry =
        eu.write(KEY, new Change.KeyExpire(5), VersionVector.of(us.origin(), 1), 5);
    ChangeEvent usExpiry = us.write(KEY, new Change.KeyExpire(10), NOTHING, 10);
    site.receive(x, usDeadline, y, euDeadline, euExpiry, usExpiry);
    assertThat(site.wanted(member("y")))
        .as("usDeadline refutes euExpiry")
        .isEqualTo(Content.PRESENT);
    site.stable = site.merged;
    site.collectGarbage();
    assertThat(site.wanted(member("y"))).isEqualTo(Content.PRESENT);
    assertThat(site.header(KEY).visibleCount(ElementKind.SET_MEMBER)).isEqualTo(1);
  }
}
