package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.StreamElements;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What the cell of a stream's element shows. Entries that several regions added under one id are
 * all there, that of the smallest region first: a cell keeps its concurrent writes anyway. Of a
 * group's concurrent positions the greatest counts.
 */
final class StreamVisible {
  private StreamVisible() {}

  static Content of(Cell cell) {
    List<Cell.Write> writes = cell.writes();
    if (writes.isEmpty()) {
      return Content.ABSENT;
    }
    Bytes first = writes.get(0).value();
    if (writes.size() == 1 || first.isEmpty()) {
      return Content.of(first);
    }
    return StreamElements.isGroupValue(first) ? furthest(writes) : all(writes);
  }

  private static Content furthest(List<Cell.Write> writes) {
    Bytes best = writes.get(0).value();
    for (Cell.Write write : writes) {
      if (StreamElements.acknowledged(write.value()).compareTo(StreamElements.acknowledged(best))
          > 0) {
        best = write.value();
      }
    }
    return Content.of(best);
  }

  private static Content all(List<Cell.Write> writes) {
    List<Cell.Write> byRegion = new ArrayList<>(writes);
    byRegion.sort(
        Comparator.<Cell.Write>comparingInt(write -> write.dot().origin().regionId())
            .thenComparing(Cell.Write::dot));
    ByteWriter out = new ByteWriter(64);
    int last = 0;
    for (Cell.Write write : byRegion) {
      int region = write.dot().origin().regionId();
      if (region != last) {
        byte[] value = write.value().array().clone();
        value[0] = (byte) (last == 0 ? 0 : region);
        out.raw(value);
      }
      last = region;
    }
    return Content.of(Bytes.wrap(out.toByteArray()));
  }
}
