package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Counters incremented many thousands of times by three regions that see nothing of each other. */
class HotCounterTest {
  private static final int EACH = 10_000;
  private static final RedisKey KEY = RedisKey.of(0, "hits");
  private static final Element STRING = Element.string(KEY);
  private static final Element FIELD =
      new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("field"));
  private static final VersionVector NOTHING = VersionVector.EMPTY;
  private static final Change INCR = new Change.StringAdd(BigDecimal.ONE, null);

  private final List<EventLog> regions = List.of(new EventLog(1), new EventLog(2), new EventLog(3));
  private final EventLog us = regions.get(0);
  private final MergeSite site = new MergeSite();

  /** Each event beside what the counter must show after it, by a model that keeps them all. */
  private static final class Model {
    private final List<ChangeEvent> added = new ArrayList<>();

    long add(ChangeEvent event, long delta) {
      for (long n = 0; n < delta; n++) {
        added.add(event);
      }
      return added.size();
    }

    long remove(VersionVector seen) {
      added.removeIf(event -> seen.covers(event.dot()));
      return added.size();
    }
  }

  private void incrementEach(int times) {
    for (int n = 0; n < times; n++) {
      for (EventLog region : regions) {
        site.receive(region.write(KEY, INCR, NOTHING, n + 1));
      }
    }
  }

  /** What was seen of others by a region that saw {@code seq} of each; not of its own log. */
  private VersionVector seen(EventLog by, long seq) {
    VersionVector context = NOTHING;
    for (EventLog region : regions) {
      if (region != by) {
        context = context.with(region.origin(), seq);
      }
    }
    return context;
  }

  private static Content number(long value) {
    return Content.utf8(Long.toString(value));
  }

  private long rows(char letter) {
    return site.rows.dump(key -> key[0] == letter).size();
  }

  private void makeAllStable() {
    site.stable = site.merged;
    site.collectGarbage();
  }

  @Test
  void anIncrementCostsTheSameHoweverManyWentBefore() {
    long begin = cpuMillis();
    incrementEach(EACH);
    long first = cpuMillis() - begin;
    assertThat(site.wanted(STRING)).isEqualTo(number(3 * EACH));
    assertThat(site.rows.get(RowKeys.header(KEY))).hasSizeLessThan(1_000);
    // Quadratic work took minutes for what takes a third of a second.
    assertThat(first).as("milliseconds of CPU for 30,000 increments").isLessThan(5_000);
  }

  private static long cpuMillis() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1_000_000;
  }

  @Test
  void aCounterWithFewUnstableIncrementsIsOneRow() {
    for (int n = 1; n <= SpillRule.DEFAULT.keep(); n++) {
      site.receive(us.write(KEY, INCR, NOTHING, n));
      assertThat(site.rows.size()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 7, 8, 100, 4_999, 9_980, 9_992, 9_999, 10_000})
  void aDeleteRemovesExactlyTheIncrementsItHadSeen(long upTo) {
    incrementEach(EACH);
    ChangeEvent delete = us.write(KEY, new Change.KeyDelete(), seen(us, upTo), EACH + 1);
    site.receive(delete);
    assertThat(site.wanted(STRING))
        .isEqualTo(upTo == EACH ? Content.ABSENT : number(2 * (EACH - upTo)));
    site.receive(us.write(KEY, INCR, seen(us, upTo), EACH + 2));
    assertThat(site.wanted(STRING)).isEqualTo(number(2 * (EACH - upTo) + 1));
    makeAllStable();
    assertThat(site.wanted(STRING)).isEqualTo(number(2 * (EACH - upTo) + 1));
  }

  /**
   * Deletes and SETs of all regions, each of which saw some prefix of each log, and more counts.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void whatManyCutsLeaveIsWhatAModelThatKeepsEveryIncrementHas(long seed) {
    Random random = new Random(seed);
    Model model = new Model();
    for (EventLog region : regions) {
      for (int n = 0; n < EACH; n++) {
        long delta = 1L + random.nextInt(2);
        ChangeEvent event =
            region.write(
                KEY, new Change.StringAdd(BigDecimal.valueOf(delta), null), NOTHING, n + 1);
        site.receive(event);
        model.add(event, delta);
      }
    }
    long left = model.remove(NOTHING);
    assertThat(site.wanted(STRING)).isEqualTo(number(left));
    for (int cut = 0; cut < 40; cut++) {
      EventLog region = regions.get(random.nextInt(3));
      VersionVector context = NOTHING;
      for (EventLog other : regions) {
        if (other != region) {
          context = context.with(other.origin(), random.nextInt(cut * 250 + 250));
        }
      }
      ChangeEvent event;
      if (random.nextInt(4) == 0) {
        event = region.write(KEY, INCR, context, EACH + cut);
        left = model.add(event, 1);
      } else {
        event = region.write(KEY, new Change.KeyDelete(), context, EACH + cut);
        left = model.remove(event.seen());
      }
      site.receive(event);
      assertThat(site.wanted(STRING))
          .as("after cut %d at %s", cut, event.seen())
          .isEqualTo(left == 0 ? Content.ABSENT : number(left));
      if (random.nextInt(8) == 0) {
        site.collectGarbage();
      }
    }
    makeAllStable();
    assertThat(site.wanted(STRING)).isEqualTo(left == 0 ? Content.ABSENT : number(left));
    assertThat(rows('I') + rows('D') + rows('F')).isZero();
  }

  @Test
  void theOrderOfRegionsAndOfARemovalMakesNoDifferenceToTheRows() {
    List<ChangeEvent> increments = new ArrayList<>();
    for (int n = 0; n < 2_000; n++) {
      for (EventLog region : regions) {
        increments.add(region.write(KEY, INCR, NOTHING, n + 1));
      }
    }
    ChangeEvent delete = us.write(KEY, new Change.KeyDelete(), seen(us, 777), 3_000);
    MergeSite mixed = new MergeSite().receive(increments.toArray(new ChangeEvent[0]));
    mixed.receive(delete);
    MergeSite oneByOne = new MergeSite();
    for (EventLog region : regions) {
      increments.stream()
          .filter(event -> event.origin().equals(region.origin()))
          .forEach(oneByOne::receive);
      if (region == us) {
        oneByOne.receive(delete);
      }
    }
    mixed.collectGarbage();
    oneByOne.collectGarbage();
    // What waits for stability is registered when the first chunk moves: it alone may differ.
    assertThat(mixed.rows.dump(key -> key[0] != 'F' && key[0] != 'G'))
        .isEqualTo(oneByOne.rows.dump(key -> key[0] != 'F' && key[0] != 'G'))
        .hasSizeGreaterThan(200);
  }

  @Test
  void incrementsThatAllRegionsHaveSeenFoldInStepsAndLeaveNoRows() {
    incrementEach(EACH);
    Content before = site.wanted(STRING);
    assertThat(rows('I')).isGreaterThan(3 * EACH / 20);
    for (long seq : new long[] {3, 5_000, 5_001, 9_995}) {
      site.stable = seen(us, seq).with(us.origin(), seq);
      site.collectGarbage();
      assertThat(site.wanted(STRING)).isEqualTo(before);
    }
    assertThat(rows('I')).isLessThan(20);
    makeAllStable();
    assertThat(site.wanted(STRING)).isEqualTo(before);
    assertThat(site.rows.dump(key -> true)).as("the header alone").hasSize(1);
  }

  @Test
  void aFieldOfAHashCountsLikeAString() {
    Change add = new Change.HashAdd(FIELD.name(), BigDecimal.ONE, null);
    for (int n = 0; n < 3_000; n++) {
      for (EventLog region : regions) {
        site.receive(region.write(KEY, add, NOTHING, n + 1));
      }
    }
    assertThat(site.wanted(FIELD)).isEqualTo(number(9_000));
    site.receive(us.write(KEY, new Change.HashRemove(FIELD.name()), seen(us, 1_000), 4_000));
    assertThat(site.wanted(FIELD)).isEqualTo(number(4_000));
    site.receive(regions.get(1).write(KEY, new Change.KeyDelete(), seen(regions.get(1), 2_500), 1));
    assertThat(site.wanted(FIELD)).isEqualTo(number(500));
    site.receive(us.write(KEY, new Change.StringSet(Bytes.utf8("7"), 0, false), NOTHING, 5_000));
    assertThat(site.shown).containsOnlyKeys(STRING);
    site.receive(us.write(KEY, new Change.KeyDelete(), site.merged, 6_000));
    assertThat(site.shown).isEmpty();
    makeAllStable();
    assertThat(site.rows.size()).isZero();
  }

  /**
   * Every event on the key asks what an unsettled expiry hides: the middle of 10,000 increments.
   */
  @Test
  void anExpiryThatHidesHalfACounterKeepsEventsCheap() {
    site.receive(us.write(KEY, new Change.DeadlineSet(50), NOTHING, 1));
    incrementEach(EACH);
    site.receive(us.write(KEY, new Change.KeyExpire(50), seen(us, EACH / 2), 60));
    long hidden = 2L * (EACH / 2) + EACH;
    assertThat(site.wanted(STRING)).isEqualTo(number(3L * EACH - hidden));
    long begin = cpuMillis();
    incrementEach(EACH);
    assertThat(cpuMillis() - begin).as("milliseconds of CPU").isLessThan(5_000);
    long left = 6L * EACH - hidden;
    assertThat(site.wanted(STRING)).isEqualTo(number(left));
    site.collectGarbage(); // nothing is stable: nothing may fold
    assertThat(site.wanted(STRING)).isEqualTo(number(left));
    makeAllStable();
    assertThat(site.wanted(STRING)).isEqualTo(number(left));
    assertThat(site.rows.size()).isEqualTo(1);
  }

  /** What is stable beyond the middle of what an unsettled expiry hides must not fold with it. */
  @Test
  void whatAnUnsettledExpiryHidesStaysHiddenWhateverBecomesStableOrIsRemoved() {
    EventLog eu = regions.get(1);
    EventLog ap = regions.get(2);
    site.receive(us.write(KEY, new Change.DeadlineSet(50), NOTHING, 1));
    incrementEach(1_000);
    site.receive(us.write(KEY, new Change.KeyExpire(50), seen(us, 500), 60));
    assertThat(site.wanted(STRING)).isEqualTo(number(1_000));
    site.stable = seen(us, 700).with(us.origin(), 900);
    site.collectGarbage();
    assertThat(site.wanted(STRING)).isEqualTo(number(1_000));
    site.receive(eu.write(KEY, INCR, NOTHING, 2_000));
    assertThat(site.wanted(STRING)).isEqualTo(number(1_001));
    ChangeEvent delete =
        ap.write(KEY, new Change.KeyDelete(), NOTHING.with(eu.origin(), 300), 2_001);
    site.receive(delete);
    assertThat(site.wanted(STRING)).as("ap's own are gone").isEqualTo(number(501));
    makeAllStable();
    assertThat(site.wanted(STRING)).isEqualTo(number(501));
  }

  /** An owner that goes on with other settings finds what the one before left. */
  @Test
  void whichIncrementsLieInTheCellMayChangeBetweenOwners() {
    MergeSite first = new MergeSite(new SpillRule(1, 2));
    for (int n = 0; n < 500; n++) {
      first.receive(us.write(KEY, INCR, NOTHING, n + 1));
    }
    MergeSite next = first.successor(SpillRule.DEFAULT);
    for (int n = 0; n < 500; n++) {
      next.receive(us.write(KEY, INCR, NOTHING, n + 501));
    }
    assertThat(next.wanted(STRING)).isEqualTo(number(1_000));
    EventLog eu = regions.get(1);
    for (long upTo : new long[] {250, 499, 500, 501, 750}) {
      next.receive(eu.write(KEY, new Change.KeyDelete(), seen(eu, upTo), 2_000));
      assertThat(next.wanted(STRING)).isEqualTo(number(1_000 - upTo));
    }
  }
}
