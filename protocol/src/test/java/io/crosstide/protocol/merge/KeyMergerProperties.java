package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

/**
 * {@link KeyMerger} against its specification, over random histories of a key and random orders of
 * delivery that keep each origin's own. A failure names its seed; {@code new KeyHistory(seed)} is
 * that history.
 */
class KeyMergerProperties {
  private static final int HISTORIES = 1_000;
  private static final int ORDERS = 3;

  private interface HistoryCheck {
    void check(KeyHistory history, long seed);
  }

  private static void forAllHistories(HistoryCheck check) {
    for (long seed = 0; seed < HISTORIES; seed++) {
      try {
        check.check(new KeyHistory(seed), seed);
      } catch (AssertionError | RuntimeException failure) {
        throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
      }
    }
  }

  /** One region that receives the logs. */
  private static final class Replica {
    final MergeSite site;
    final List<ChangeEvent> delivered = new ArrayList<>();
    private final VersionVector[] floors = new VersionVector[KeyHistory.REGIONS];

    Replica(long seed) {
      site = new MergeSite(new SpillRule(1 + (int) (seed & 1), 1 << (seed >> 1 & 3)));
      Arrays.fill(floors, VersionVector.EMPTY);
    }

    void receive(int region, ChangeEvent event) {
      if (event.change() instanceof Change.Beat beat) {
        Origin origin = event.origin();
        floors[region] = beat.floor().with(origin, site.merged.get(origin));
      } else {
        delivered.add(event);
        site.receive(event);
      }
    }

    /** Takes up what every region is known to have seen. */
    void stabilise() {
      site.stable = Arrays.stream(floors).reduce(VersionVector::meet).orElseThrow();
    }

    void assertShown() {
      Map<Element, Content> shown = KeySpecification.shown(delivered);
      assertThat(site.shown).isEqualTo(shown);
      for (Element element : KeyHistory.ELEMENTS) {
        assertThat(site.wanted(element)).isEqualTo(shown.getOrDefault(element, Content.ABSENT));
      }
      assertThat(site.wanted(KeyHistory.DEADLINE))
          .isEqualTo(shown.getOrDefault(KeyHistory.DEADLINE, Content.ABSENT));
    }
  }

  private interface Receiver {
    void receive(int region, ChangeEvent event);
  }

  /** Hands all records over, in an order of {@code random} that keeps each log's own. */
  private static void deliver(KeyHistory history, Random random, Receiver receiver) {
    int[] next = new int[KeyHistory.REGIONS];
    List<Integer> left = new ArrayList<>(List.of(0, 1, 2));
    while (!left.isEmpty()) {
      int region = left.get(random.nextInt(left.size()));
      List<ChangeEvent> log = history.logs.get(region);
      if (next[region] == log.size()) {
        left.remove(Integer.valueOf(region));
      } else {
        receiver.receive(region, log.get(next[region]++));
      }
    }
  }

  @Test
  void showsWhatIsSpecifiedAfterEveryEvent() {
    forAllHistories(
        (history, seed) -> {
          Replica replica = new Replica(seed);
          deliver(
              history,
              new Random(seed),
              (region, event) -> {
                replica.receive(region, event);
                replica.assertShown();
              });
        });
  }

  @Test
  void garbageCollectionAndFoldingChangeNothingToBeSeen() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica(seed);
          deliver(
              history,
              random,
              (region, event) -> {
                replica.receive(region, event);
                if (random.nextInt(3) == 0) {
                  replica.stabilise();
                }
                if (random.nextInt(4) == 0) {
                  replica.site.collectGarbage();
                }
                replica.assertShown();
              });
        });
  }

  /** All but the rows that say when to visit others again. */
  @Test
  void everyOrderOfDeliveryGivesTheSameBytes() {
    forAllHistories(
        (history, seed) -> {
          SortedMap<String, String> first = null;
          for (int order = 0; order < ORDERS; order++) {
            Replica replica = new Replica(seed);
            deliver(history, new Random(seed * ORDERS + order), replica::receive);
            replica.site.collectGarbage();
            SortedMap<String, String> rows = replica.site.rows.dump(row -> !MergeSite.waits(row));
            if (first == null) {
              first = rows;
            }
            assertThat(rows).isEqualTo(first);
          }
        });
  }

  @Test
  void nothingIsLeftOfAKeyThatIsDeletedEverywhere() {
    forAllHistories(
        (history, seed) -> {
          Replica replica = new Replica(seed);
          deliver(history, new Random(seed), replica::receive);
          EventLog last = new EventLog(KeyHistory.REGIONS + 1);
          VersionVector everything = history.everything();
          ChangeEvent delete =
              last.write(KeyHistory.KEY, new Change.KeyDelete(), everything, 1_000_000);
          replica.site.receive(delete);
          replica.site.stable = everything.with(last.origin(), last.lastSeq());
          replica.site.collectGarbage();
          assertThat(replica.site.shown).isEmpty();
          assertThat(replica.site.rows.dump(row -> true)).isEmpty();
        });
  }
}
