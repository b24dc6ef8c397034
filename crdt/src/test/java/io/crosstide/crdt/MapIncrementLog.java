package io.crosstide.crdt;

import io.crosstide.crdt.Cell.Increment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;

/** An {@link IncrementLog} in maps, which keeps dropped chunks until {@link #collect()}. */
final class MapIncrementLog implements IncrementLog {
  private record Dropped(Origin origin, long fromSeq, long belowSeq) {}

  private final SortedMap<Origin, NavigableMap<Long, List<Increment>>> chunks = new TreeMap<>();
  private final List<Dropped> dropped = new ArrayList<>();

  @Override
  public void scan(Origin origin, long fromSeq, ChunkVisitor visitor) {
    for (List<Increment> chunk : of(origin).tailMap(fromSeq, true).values()) {
      if (!visitor.chunk(chunk)) {
        return;
      }
    }
  }

  @Override
  public void put(Origin origin, List<Increment> chunk) {
    of(origin).put(chunk.get(chunk.size() - 1).dot().seq(), List.copyOf(chunk));
  }

  @Override
  public void drop(Origin origin, long fromSeq, long belowSeq) {
    dropped.add(new Dropped(origin, fromSeq, belowSeq));
  }

  private NavigableMap<Long, List<Increment>> of(Origin origin) {
    return chunks.computeIfAbsent(origin, o -> new TreeMap<>());
  }

  /** Deletes what has been dropped. */
  void collect() {
    for (Dropped drop : dropped) {
      of(drop.origin()).subMap(drop.fromSeq(), true, drop.belowSeq(), false).clear();
    }
    dropped.clear();
  }

  /** All chunks after collection: equal states have equal ones. */
  Map<Origin, Map<Long, List<Increment>>> content() {
    collect();
    chunks.values().removeIf(Map::isEmpty);
    return new TreeMap<>(chunks);
  }
}
