package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * {@link Cell} against its specification, over random histories and random orders of delivery that
 * keep each origin's own. Few increments stay in the cell, so that its log is in use most of the
 * time. A failure names its seed; {@code new CellHistory(seed)} is that history.
 */
class CellProperties {
  private static final int HISTORIES = 4_000;

  private interface HistoryCheck {
    void check(CellHistory history, long seed);
  }

  private static void forAllHistories(HistoryCheck check) {
    for (long seed = 0; seed < HISTORIES; seed++) {
      try {
        check.check(new CellHistory(seed), seed);
      } catch (AssertionError | RuntimeException failure) {
        throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
      }
    }
  }

  private interface Receiver {
    void receive(int region, CellHistory.Entry entry);
  }

  /** Hands all records over, in an order of {@code random} that keeps each log's own. */
  private static void deliver(CellHistory history, Random random, Receiver receiver) {
    int[] next = new int[CellHistory.REGIONS];
    List<Integer> left = new ArrayList<>();
    for (int region = 0; region < CellHistory.REGIONS; region++) {
      left.add(region);
    }
    while (!left.isEmpty()) {
      int region = left.get(random.nextInt(left.size()));
      List<CellHistory.Entry> log = history.logs.get(region);
      if (next[region] == log.size()) {
        left.remove(Integer.valueOf(region));
      } else {
        receiver.receive(region, log.get(next[region]++));
      }
    }
  }

  /** Two rules of four let all that is older than one or two increments move to the log. */
  private static SpillRule rule(long seed) {
    return new SpillRule(1 + (int) (seed & 1), 1 << (seed >> 1 & 3));
  }

  /** A receiver that keeps what it has been given, and never prunes or folds by itself. */
  private static class Replica implements Receiver {
    final List<ClockedOperation> delivered = new ArrayList<>();
    final VersionVector[] floors = new VersionVector[CellHistory.REGIONS];
    final MapIncrementLog log = new MapIncrementLog();
    final SpillRule rule;
    VersionVector received = VersionVector.EMPTY;
    Cell cell = Cell.EMPTY;

    Replica(long seed) {
      rule = rule(seed);
      Arrays.fill(floors, VersionVector.EMPTY);
    }

    @Override
    public void receive(int region, CellHistory.Entry entry) {
      if (entry instanceof CellHistory.Operation operation) {
        ClockedOperation clocked = operation.operation();
        delivered.add(clocked);
        received = received.with(clocked.dot().origin(), clocked.dot().seq());
        store(clocked.applyTo(cell, log));
      } else if (entry instanceof CellHistory.Floor floor) {
        Origin own = CellHistory.origin(region);
        floors[region] = floor.floor().with(own, received.get(own));
      }
    }

    void store(Cell next) {
      cell = next.stored(cell, rule, log);
    }

    void prune(VersionVector merged) {
      store(cell.prune(merged));
    }

    void fold(VersionVector stable) {
      store(cell.fold(stable, log));
    }

    /** What every region has seen and published. */
    VersionVector stable() {
      return floors[0].meet(floors[1]).meet(floors[2]);
    }

    void assertMeaning() {
      assertThat(ClockedOperation.Meaning.of(cell)).isEqualTo(ClockedOperation.spec(delivered));
    }

    /** The cell and its log say the same of what lies there. */
    void assertSums() {
      for (Cell.Spilled part : cell.spilled()) {
        long[] count = {0};
        BigDecimal[] sum = {BigDecimal.ZERO};
        long[] last = {0};
        log.scan(
            part.origin(),
            part.firstSeq(),
            chunk -> {
              for (Cell.Increment increment : chunk) {
                count[0]++;
                sum[0] = sum[0].add(increment.delta());
                last[0] = increment.dot().seq();
              }
              return true;
            });
        assertThat(part.count()).isEqualTo(count[0]);
        assertThat(part.sum()).isEqualByComparingTo(sum[0]);
        assertThat(part.lastSeq()).isEqualTo(last[0]);
      }
    }

    /** Equal states have equal bytes, in the cell and in its log. */
    void assertSameAs(Replica other) {
      assertThat(cell).isEqualTo(other.cell).hasSameHashCodeAs(other.cell);
      assertThat(form(cell)).isEqualTo(form(other.cell));
      assertThat(log.content()).isEqualTo(other.log.content());
    }
  }

  private static byte[] form(Cell cell) {
    ByteWriter out = new ByteWriter();
    cell.encode(out);
    return out.toByteArray();
  }

  @Test
  void showsWhatTheSpecificationSaysAfterEveryDelivery() {
    forAllHistories(
        (history, seed) -> {
          Replica replica = new Replica(seed);
          deliver(
              history,
              new Random(seed),
              (region, entry) -> {
                replica.receive(region, entry);
                replica.assertMeaning();
                replica.assertSums();
              });
        });
  }

  @Test
  void everyOrderThatKeepsEachOriginsOwnGivesTheSameCellAndTheSameBytes() {
    forAllHistories(
        (history, seed) -> {
          Replica one = new Replica(seed);
          Replica other = new Replica(seed);
          deliver(history, new Random(seed), one);
          deliver(history, new Random(~seed), other);
          one.assertSameAs(other);
          one.prune(history.everything());
          other.prune(history.everything());
          assertThat(one.cell.removed()).isEqualTo(VersionVector.EMPTY);
          one.assertSameAs(other);
        });
  }

  @Test
  void anOperationDeliveredAgainChangesNothing() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica(seed);
          deliver(
              history,
              random,
              (region, entry) -> {
                replica.receive(region, entry);
                if (!replica.delivered.isEmpty()) {
                  int any = random.nextInt(replica.delivered.size());
                  assertThat(replica.delivered.get(any).applyTo(replica.cell, replica.log))
                      .isEqualTo(replica.cell);
                }
              });
        });
  }

  @Test
  void pruningAndFoldingAtAnyLegalMomentChangeNothingThatIsShownThenOrLater() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica plain = new Replica(seed);
          Replica tidy = new Replica(seed);
          deliver(
              history,
              random,
              (region, entry) -> {
                plain.receive(region, entry);
                tidy.receive(region, entry);
                if (random.nextBoolean()) {
                  tidy.prune(tidy.received);
                }
                if (random.nextBoolean()) {
                  tidy.fold(tidy.stable());
                }
                if (random.nextInt(4) == 0) {
                  tidy.log.collect();
                }
                tidy.assertMeaning();
                tidy.assertSums();
              });
          VersionVector all = history.everything();
          tidy.prune(all);
          tidy.fold(all);
          plain.prune(all);
          plain.fold(all);
          tidy.assertSameAs(plain);
          assertThat(tidy.log.content()).isEmpty();
        });
  }

  @Test
  void foldingLeavesTheNewestStampInPlace() {
    forAllHistories(
        (history, seed) -> {
          Replica replica = new Replica(seed);
          deliver(history, new Random(seed), replica);
          Cell.Write before = replica.cell.newest();
          Cell.Write after = replica.cell.fold(history.everything(), replica.log).newest();
          assertThat(after == null ? null : after.stamp())
              .isEqualTo(before == null ? null : before.stamp());
        });
  }

  @Test
  void everyStateReadsBackAsItWas() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica(seed);
          deliver(
              history,
              random,
              (region, entry) -> {
                replica.receive(region, entry);
                if (random.nextInt(3) == 0) {
                  replica.prune(replica.received);
                  replica.fold(replica.stable());
                }
                byte[] form = form(replica.cell);
                ByteReader in = new ByteReader(form);
                Cell back = Cell.decode(in);
                assertThat(in.atEnd()).isTrue();
                assertThat(back).isEqualTo(replica.cell).hasToString(replica.cell.toString());
                assertThat(form(back)).isEqualTo(form);
                replica.cell = back;
              });
        });
  }

  @Test
  void whatIsHiddenIsWhatARemovalWouldHaveRemoved() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica(seed);
          deliver(history, random, replica);
          List<ClockedOperation> all = replica.delivered;
          if (!all.isEmpty()) {
            VersionVector hidden = all.get(random.nextInt(all.size())).seen();
            Cell without = replica.cell.without(hidden, replica.log);
            Cell removed = replica.cell.remove(hidden, replica.log);
            assertThat(ClockedOperation.Meaning.of(without))
                .isEqualTo(ClockedOperation.Meaning.of(removed));
            assertThat(without.removed()).isEqualTo(replica.cell.removed());
            assertThat(without.newest()).isEqualTo(removed.newest());
          }
        });
  }

  /** What is seen of a cell does not depend on where its increments lie. */
  @Test
  void aCellThatKeepsAllItsIncrementsShowsTheSame() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica(seed);
          Cell[] whole = {Cell.EMPTY};
          deliver(
              history,
              random,
              (region, entry) -> {
                replica.receive(region, entry);
                if (entry instanceof CellHistory.Operation operation) {
                  whole[0] = operation.operation().applyTo(whole[0], IncrementLog.NONE);
                }
                if (random.nextInt(4) == 0) {
                  replica.fold(replica.stable());
                  whole[0] = whole[0].fold(replica.stable(), IncrementLog.NONE);
                }
                assertThat(replica.cell.newest()).isEqualTo(whole[0].newest());
                assertThat(replica.cell.folded()).isEqualTo(whole[0].folded());
                long increments = replica.cell.increments().size();
                for (Cell.Spilled part : replica.cell.spilled()) {
                  increments += part.count();
                }
                assertThat(increments).isEqualTo(whole[0].increments().size());
              });
        });
  }

  @Test
  void theHistoriesReachWhatTheyAreMeantToReach() {
    int concurrentWrites = 0;
    int folded = 0;
    int waiting = 0;
    int spilled = 0;
    int cutByRemoval = 0;
    int cutByFold = 0;
    for (long seed = 0; seed < HISTORIES; seed++) {
      Replica replica = new Replica(seed);
      boolean[] reached = new boolean[5];
      deliver(
          new CellHistory(seed),
          new Random(seed),
          (region, entry) -> {
            Cell before = replica.cell;
            replica.receive(region, entry);
            replica.prune(replica.received);
            Cell fold = replica.cell.fold(replica.stable(), replica.log);
            reached[0] |= !replica.cell.removed().isEmpty();
            reached[1] |= !fold.folded().isEmpty();
            reached[2] |= !replica.cell.spilled().isEmpty();
            reached[3] |= isCut(before, replica.cell);
            reached[4] |= isCut(replica.cell, fold);
          });
      concurrentWrites += replica.cell.writes().size() > 1 ? 1 : 0;
      waiting += reached[0] ? 1 : 0;
      folded += reached[1] ? 1 : 0;
      spilled += reached[2] ? 1 : 0;
      cutByRemoval += reached[3] ? 1 : 0;
      cutByFold += reached[4] ? 1 : 0;
    }
    assertThat(concurrentWrites).isGreaterThan(HISTORIES / 10);
    assertThat(folded).isGreaterThan(HISTORIES / 20);
    assertThat(waiting).isGreaterThan(HISTORIES / 10);
    assertThat(spilled).isGreaterThan(HISTORIES / 4);
    assertThat(cutByRemoval).isGreaterThan(HISTORIES / 50);
    assertThat(cutByFold).isGreaterThan(HISTORIES / 50);
  }

  /** Something between the first and the last increment in the log was the first to stay. */
  private static boolean isCut(Cell before, Cell after) {
    for (Cell.Spilled part : before.spilled()) {
      Cell.Spilled rest = after.spilled(part.origin());
      if (rest != null && rest.firstSeq() > part.firstSeq()) {
        return true;
      }
    }
    return false;
  }

  @Test
  void incrementsThatAreNotInTheLogAreMissedAloud() {
    Origin origin = Origin.of(1);
    Cell cell = Cell.EMPTY;
    MapIncrementLog log = new MapIncrementLog();
    for (int seq = 1; seq <= 3; seq++) {
      cell =
          cell.increment(new Dot(origin, seq), HybridTimestamp.of(seq, 0), BigDecimal.ONE)
              .stored(cell, new SpillRule(1, 1), log);
    }
    Cell stored = cell;
    assertThat(stored.remove(VersionVector.of(origin, 1), log).sum())
        .isEqualTo(BigDecimal.valueOf(2));
    assertThatIllegalStateException()
        .isThrownBy(() -> stored.remove(VersionVector.of(origin, 1), new MapIncrementLog()))
        .withMessageContaining("are missing");
  }
}
