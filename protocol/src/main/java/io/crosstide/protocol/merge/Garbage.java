package io.crosstide.protocol.merge;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import java.util.ArrayList;
import java.util.List;

/**
 * Cleans rows that waited for an event: removal contexts once the events they cover have been
 * merged (P10), expiries once they are stable (P6). A little at a time.
 */
final class Garbage {
  private static final int ROWS_PER_TURN = 500;
  private static final long PAUSE_MILLIS = 200;

  private final RowStore rows;
  private final KeyMerger keys;
  private long nextTurnMillis;

  Garbage(RowStore rows, KeyMerger keys) {
    this.rows = rows;
    this.keys = keys;
  }

  void collect(long nowMillis, VersionVector merged, VersionVector stable) {
    if (nowMillis < nextTurnMillis) {
      return;
    }
    nextTurnMillis = nowMillis + PAUSE_MILLIS;
    for (Origin origin : merged.origins()) {
      for (byte[] row : due('G', origin, merged.get(origin))) {
        keys.prune(RowKeys.parseWaiting(row), merged);
        rows.delete(row);
      }
      for (byte[] row : due('S', origin, stable.get(origin))) {
        keys.settleExpiries(RowKeys.parseHeader(RowKeys.parseWaiting(row)), merged, stable);
        rows.delete(row);
      }
    }
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
