package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One region's merged rows without a Redis: checks that what the visitor is told of an element
 * chains from event to event, and keeps what it was told.
 */
final class MergeSite {
  final MemoryRowStore rows;
  final CellRows cells;
  final KeyMerger keys;
  final Map<Element, Content> shown = new TreeMap<>();

  /** What the last event told, in order. */
  final List<Touch> lastTouches = new ArrayList<>();

  final List<Element> conflicts = new ArrayList<>();
  VersionVector merged = VersionVector.EMPTY;
  VersionVector stable = VersionVector.EMPTY;
  private long now;

  record Touch(Element element, Content before, Content after, boolean addressed) {}

  MergeSite() {
    this(SpillRule.DEFAULT);
  }

  MergeSite(SpillRule spill) {
    this(new MemoryRowStore(), spill);
  }

  private MergeSite(MemoryRowStore rows, SpillRule spill) {
    this.rows = rows;
    cells = new CellRows(rows, spill);
    keys = new KeyMerger(rows, cells, (event, element) -> conflicts.add(element));
  }

  /** One that goes on with these rows. */
  MergeSite successor(SpillRule spill) {
    MergeSite next = new MergeSite(rows.committed(), spill);
    next.shown.putAll(shown);
    next.merged = merged;
    next.stable = stable;
    return next;
  }

  MergeSite receive(ChangeEvent... events) {
    for (ChangeEvent event : events) {
      merge(event);
    }
    return this;
  }

  private void merge(ChangeEvent event) {
    assertThat(event.seq())
        .as("%s in its log's order", event)
        .isGreaterThan(merged.get(event.origin()));
    merged = merged.with(event.origin(), event.seq());
    lastTouches.clear();
    keys.merge(
        event,
        merged,
        stable,
        (element, before, after, addressed) -> {
          lastTouches.add(new Touch(element, before, after, addressed));
          boolean leftByRedis =
              element.kind() == ElementKind.STREAM && element.name().equals(StreamElements.STREAM);
          assertThat(before)
              .as("before of %s, told of %s", element, event)
              .isEqualTo(leftByRedis ? before : shown.getOrDefault(element, Content.ABSENT));
          if (after.isAbsent()) {
            shown.remove(element);
          } else {
            shown.put(element, after);
          }
        });
  }

  Content wanted(Element element) {
    return keys.view().wanted(element);
  }

  KeyState header(RedisKey key) {
    return keys.view().load(key);
  }

  /** Lets the garbage collector do all that is due. */
  void collectGarbage() {
    Garbage garbage = new Garbage(rows, cells);
    SortedMap<String, String> before;
    do {
      before = rows.dump(MergeSite::waits);
      now += 1_000;
      garbage.collect(now, merged, stable);
    } while (!rows.dump(MergeSite::waits).equals(before));
  }

  /** A row that says when to visit others again. */
  static boolean waits(byte[] key) {
    return "GSFD".indexOf(key[0]) >= 0;
  }
}
