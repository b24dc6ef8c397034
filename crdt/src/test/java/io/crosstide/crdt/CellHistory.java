package io.crosstide.crdt;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A random history of one cell: three regions write, add and remove, each seeing the others' logs
 * in their own order but at its own pace, and now and then publish a floor that no later context
 * falls below. Some contexts are lower than what their region had received (P9).
 */
final class CellHistory {
  static final int REGIONS = 3;
  private static final List<Bytes> VALUES =
      List.of(Bytes.utf8("5"), Bytes.utf8("text"), Bytes.EMPTY);
  private static final List<BigDecimal> DELTAS =
      List.of(new BigDecimal("1"), new BigDecimal("-2"), new BigDecimal("0.50"));

  /** One record of a log: an operation, or a floor published after the operations before it. */
  sealed interface Entry {}

  record Operation(ClockedOperation operation) implements Entry {}

  record Floor(VersionVector floor) implements Entry {}

  final List<List<Entry>> logs = new ArrayList<>();

  /** Per region how far it has read each log, while the history is made. */
  private final int[][] read = new int[REGIONS][REGIONS];

  private final VersionVector[] received = new VersionVector[REGIONS];
  private final VersionVector[] floors = new VersionVector[REGIONS];
  private final long[] clocks = new long[REGIONS];
  private final Random random;

  /** The higher, the rarer are writes and removals among the increments. */
  private final int operationsBound;

  CellHistory(long seed) {
    random = new Random(seed);
    operationsBound = 5 + random.nextInt(16);
    for (int region = 0; region < REGIONS; region++) {
      logs.add(new ArrayList<>());
      received[region] = VersionVector.EMPTY;
      floors[region] = VersionVector.EMPTY;
    }
    for (int steps = 5 + random.nextInt(50); steps > 0; steps--) {
      step(random.nextInt(REGIONS));
    }
  }

  static Origin origin(int region) {
    return Origin.of(region + 1);
  }

  private void step(int region) {
    int choice = random.nextInt(11);
    if (choice < 5) {
      operate(region);
    } else if (choice < 9) {
      int from = random.nextInt(REGIONS);
      for (int records = 1 + random.nextInt(8); records > 0; records--) {
        readOne(region, from);
      }
    } else {
      floors[region] =
          random.nextBoolean()
              ? received[region]
              : between(floors[region], received[region], region);
      logs.get(region).add(new Floor(floors[region]));
    }
  }

  private void operate(int region) {
    long seq = received[region].get(origin(region)) + 1;
    VersionVector context =
        random.nextInt(4) == 0
            ? between(floors[region], received[region], region)
            : received[region];
    // Stamps of different regions are often equal, those of one region never.
    clocks[region] += 1 + random.nextInt(2);
    ClockedOperation.Operation operation =
        switch (random.nextInt(operationsBound)) {
          case 0, 1 -> new ClockedOperation.Write(VALUES.get(random.nextInt(VALUES.size())));
          case 2 -> new ClockedOperation.Remove();
          default -> new ClockedOperation.Add(DELTAS.get(random.nextInt(DELTAS.size())));
        };
    ClockedOperation clocked =
        new ClockedOperation(
            new Dot(origin(region), seq),
            HybridTimestamp.of(clocks[region], 0),
            context,
            operation);
    logs.get(region).add(new Operation(clocked));
    received[region] = received[region].with(origin(region), seq);
    read[region][region] = logs.get(region).size();
  }

  /** A vector from {@code low} to {@code high}; the own log is always held completely. */
  private VersionVector between(VersionVector low, VersionVector high, int region) {
    VersionVector result = high;
    for (Origin origin : high.origins()) {
      long least = low.get(origin);
      long span = high.get(origin) - least;
      if (!origin.equals(origin(region)) && span > 0) {
        result = result.with(origin, least + random.nextInt((int) span + 1));
      }
    }
    return result;
  }

  private void readOne(int region, int from) {
    if (from != region && read[region][from] < logs.get(from).size()) {
      Entry entry = logs.get(from).get(read[region][from]++);
      if (entry instanceof Operation operation) {
        Dot dot = operation.operation().dot();
        received[region] = received[region].with(dot.origin(), dot.seq());
      }
    }
  }

  List<ClockedOperation> operations() {
    List<ClockedOperation> all = new ArrayList<>();
    for (List<Entry> log : logs) {
      for (Entry entry : log) {
        if (entry instanceof Operation operation) {
          all.add(operation.operation());
        }
      }
    }
    return all;
  }

  VersionVector everything() {
    VersionVector all = VersionVector.EMPTY;
    for (ClockedOperation operation : operations()) {
      all = all.join(VersionVector.of(operation.dot().origin(), operation.dot().seq()));
    }
    return all;
  }
}
