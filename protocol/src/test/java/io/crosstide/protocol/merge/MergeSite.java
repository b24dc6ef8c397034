package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One region's merged rows without a Redis: checks that what the visitor is told of an element
 * chains from event to event, and keeps what it was told.
 */
final class MergeSite {
  final MemoryRowStore rows = new MemoryRowStore();
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
    keys = new KeyMerger(rows, (event, element) -> conflicts.add(element));
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
          assertThat(before)
              .as("before of %s, told of %s", element, event)
              .isEqualTo(shown.getOrDefault(element, Content.ABSENT));
          if (after.isAbsent()) {
            shown.remove(element);
          } else {
            shown.put(element, after);
          }
        });
  }

  Content wanted(Element element) {
    return keys.wanted(element);
  }

  KeyState header(RedisKey key) {
    return keys.load(key);
  }

  /** Lets the garbage collector do all that is due. */
  void collectGarbage() {
    Garbage garbage = new Garbage(rows, keys);
    int before;
    do {
      before = rows.dump(key -> key[0] == 'G' || key[0] == 'S').size();
      now += 1_000;
      garbage.collect(now, merged, stable);
    } while (rows.dump(key -> key[0] == 'G' || key[0] == 'S').size() != before);
  }
}
