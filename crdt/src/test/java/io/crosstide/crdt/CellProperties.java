package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * {@link Cell} against its specification, over random histories and random orders of delivery that
 * keep each origin's own. A failure names its seed; {@code new CellHistory(seed)} is that history.
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

  /** A receiver that keeps what it has been given, and never prunes or folds by itself. */
  private static class Replica implements Receiver {
    final List<ClockedOperation> delivered = new ArrayList<>();
    final VersionVector[] floors = new VersionVector[CellHistory.REGIONS];
    VersionVector received = VersionVector.EMPTY;
    Cell cell = Cell.EMPTY;

    Replica() {
      Arrays.fill(floors, VersionVector.EMPTY);
    }

    @Override
    public void receive(int region, CellHistory.Entry entry) {
      if (entry instanceof CellHistory.Operation operation) {
        ClockedOperation clocked = operation.operation();
        delivered.add(clocked);
        received = received.with(clocked.dot().origin(), clocked.dot().seq());
        cell = clocked.applyTo(cell);
      } else if (entry instanceof CellHistory.Floor floor) {
        Origin own = CellHistory.origin(region);
        floors[region] = floor.floor().with(own, received.get(own));
      }
    }

    /** What every region has seen and published. */
    VersionVector stable() {
      return floors[0].meet(floors[1]).meet(floors[2]);
    }

    void assertMeaning() {
      assertThat(ClockedOperation.Meaning.of(cell)).isEqualTo(ClockedOperation.spec(delivered));
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
          Replica replica = new Replica();
          deliver(
              history,
              new Random(seed),
              (region, entry) -> {
                replica.receive(region, entry);
                replica.assertMeaning();
              });
        });
  }

  @Test
  void everyOrderThatKeepsEachOriginsOwnGivesTheSameCellAndTheSameBytes() {
    forAllHistories(
        (history, seed) -> {
          Replica one = new Replica();
          Replica other = new Replica();
          deliver(history, new Random(seed), one);
          deliver(history, new Random(~seed), other);
          assertThat(one.cell).isEqualTo(other.cell).hasSameHashCodeAs(other.cell);
          assertThat(form(one.cell)).isEqualTo(form(other.cell));
          Cell pruned = one.cell.prune(history.everything());
          assertThat(pruned.removed()).isEqualTo(VersionVector.EMPTY);
          assertThat(form(pruned)).isEqualTo(form(other.cell.prune(history.everything())));
        });
  }

  @Test
  void anOperationDeliveredAgainChangesNothing() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica();
          deliver(
              history,
              random,
              (region, entry) -> {
                replica.receive(region, entry);
                if (!replica.delivered.isEmpty()) {
                  int any = random.nextInt(replica.delivered.size());
                  assertThat(replica.delivered.get(any).applyTo(replica.cell))
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
          Replica plain = new Replica();
          Replica tidy = new Replica();
          deliver(
              history,
              random,
              (region, entry) -> {
                plain.receive(region, entry);
                tidy.receive(region, entry);
                if (random.nextBoolean()) {
                  tidy.cell = tidy.cell.prune(tidy.received);
                }
                if (random.nextBoolean()) {
                  tidy.cell = tidy.cell.fold(tidy.stable());
                }
                tidy.assertMeaning();
              });
          VersionVector all = history.everything();
          assertThat(form(tidy.cell.prune(all).fold(all)))
              .isEqualTo(form(plain.cell.prune(all).fold(all)));
        });
  }

  @Test
  void foldingLeavesTheNewestStampInPlace() {
    forAllHistories(
        (history, seed) -> {
          Replica replica = new Replica();
          deliver(history, new Random(seed), replica);
          Cell.Write before = replica.cell.newest();
          Cell.Write after = replica.cell.fold(history.everything()).newest();
          assertThat(after == null ? null : after.stamp())
              .isEqualTo(before == null ? null : before.stamp());
        });
  }

  @Test
  void everyStateReadsBackAsItWas() {
    forAllHistories(
        (history, seed) -> {
          Random random = new Random(seed);
          Replica replica = new Replica();
          deliver(
              history,
              random,
              (region, entry) -> {
                replica.receive(region, entry);
                if (random.nextInt(3) == 0) {
                  replica.cell = replica.cell.prune(replica.received).fold(replica.stable());
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
          Replica replica = new Replica();
          deliver(history, random, replica);
          List<ClockedOperation> all = replica.delivered;
          if (!all.isEmpty()) {
            VersionVector hidden = all.get(random.nextInt(all.size())).seen();
            assertThat(ClockedOperation.Meaning.of(replica.cell.without(hidden)))
                .isEqualTo(ClockedOperation.Meaning.of(replica.cell.remove(hidden)));
            assertThat(replica.cell.without(hidden).removed()).isEqualTo(replica.cell.removed());
          }
        });
  }

  @Test
  void theHistoriesReachWhatTheyAreMeantToReach() {
    int concurrentWrites = 0;
    int folded = 0;
    int waiting = 0;
    for (long seed = 0; seed < HISTORIES; seed++) {
      Replica replica = new Replica();
      boolean[] reached = new boolean[2];
      deliver(
          new CellHistory(seed),
          new Random(seed),
          (region, entry) -> {
            replica.receive(region, entry);
            replica.cell = replica.cell.prune(replica.received);
            reached[0] |= !replica.cell.removed().isEmpty();
            reached[1] |= !replica.cell.fold(replica.stable()).folded().isEmpty();
          });
      concurrentWrites += replica.cell.writes().size() > 1 ? 1 : 0;
      folded += reached[1] ? 1 : 0;
      waiting += reached[0] ? 1 : 0;
    }
    assertThat(concurrentWrites).isGreaterThan(HISTORIES / 10);
    assertThat(folded).isGreaterThan(HISTORIES / 20);
    assertThat(waiting).isGreaterThan(HISTORIES / 10);
  }
}
