package io.crosstide.protocol.merge;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import java.util.ArrayList;
import java.util.List;

/**
 * Cleans rows that waited for an event: removal contexts once the events they cover have been
 * merged (P10), expiries and increments in rows of their own once they are stable (P6). A little at
 * a time.
 */
final class Garbage {
  private static final int ROWS_PER_TURN = 500;

  /** Chunks of increments: 5,000 a second, more than 40,000 increments. */
  private static final int CHUNKS_PER_TURN = 1000;

  private static final long PAUSE_MILLIS = 200;

  private final RowStore rows;
  private final CellRows cells;
  private final KeyTidier keys;
  private long nextTurnMillis;

  Garbage(RowStore rows, CellRows cells) {
    this.rows = rows;
    this.cells = cells;
    keys = new KeyTidier(rows, cells);
  }

  void collect(long nowMillis, VersionVector merged, VersionVector stable) {
    if (nowMillis < nextTurnMillis) {
      return;
    }
    nextTurnMillis = nowMillis + PAUSE_MILLIS;
    for (Origin origin : merged.origins()) {
      for (byte[] row : due('G', origin, merged.get(origin))) {
        rows.delete(row);
        keys.prune(RowKeys.parseCell(RowKeys.parseWaiting(row)), merged);
      }
      for (byte[] row : due('S', origin, stable.get(origin))) {
        rows.delete(row);
        keys.settleExpiries(RowKeys.parseHeader(RowKeys.parseWaiting(row)), merged, stable);
      }
      for (byte[] row : due('F', origin, stable.get(origin))) {
        rows.delete(row); // the visit may leave another
        keys.fold(RowKeys.parseCell(RowKeys.parseWaiting(row)), merged, stable);
      }
    }
    cells.deleteDropped(CHUNKS_PER_TURN);
  }

  private List<byte[]> due(char letter, Origin origin, long reached) {
    List<byte[]> due = new ArrayList<>();
    if (reached == 0) {
      return due;
    }
    rows.scan(
        RowKeys.waiting(letter, origin),
        null,
        (key, value) -> {
          if (RowKeys.parseSeq(key) > reached) {
            return false;
          }
          due.add(key);
          return due.size() < ROWS_PER_TURN;
        });
    return due;
  }
}
