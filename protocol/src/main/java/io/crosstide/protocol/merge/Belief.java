package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the owner believes of the elements that may differ from their merged value. Each commit
 * leaves rows that name them, so that a new owner knows whom to ask (P11).
 *
 * <p>Effects are folded into an element's content when the local log has shown their number: every
 * local change before them has then been processed. The fold's result is compared with what Redis
 * reported; where they differ, belief was wrong and the element must be probed.
 */
final class Belief {
  /** Told of what the fold brings to light. */
  interface Watcher {
    /** Belief and Redis disagree on an effect: only a probe can tell. */
    void wrong(Tracked tracked);

    /** All effects are folded, and Redis still does not hold the merged value. */
    void unsettled(Tracked tracked);
  }

  private record Folding(Fx number, Tracked tracked) {}

  private record Predicted(Element element, boolean missed) {}

  private final TrackedRows rows;
  private final Map<RedisKey, Map<Element, Tracked>> byKey = new HashMap<>();

  /** The tracked elements of lists once more, in the lists' order. */
  private final Map<RedisKey, NavigableMap<Bytes, Tracked>> lists = new HashMap<>();

  private final Deque<Folding> folding = new ArrayDeque<>();

  /** Misses that Redis reported of effects not folded yet. */
  private final Set<Fx> missed = new TreeSet<>();

  /** Results of effects folded before Redis answered. */
  private final Map<Fx, Predicted> predicted = new HashMap<>();

  private Fx answered = Fx.NONE;
  private int size;

  Belief(RowStore rows) {
    this.rows = new TrackedRows(rows);
  }

  /** Elements tracked. */
  int size() {
    return size;
  }

  /** Begins with the elements that the owner before tracked, all unknown. */
  void restore() {
    byKey.clear();
    lists.clear();
    folding.clear();
    missed.clear();
    predicted.clear();
    answered = Fx.NONE;
    size = 0;
    rows.restore(
        (element, row) -> {
          if (get(element) != null) {
            return false;
          }
          Tracked tracked = new Tracked(element, Content.ABSENT, Content.ABSENT);
          tracked.known = false;
          tracked.row = row;
          byKey.computeIfAbsent(element.key(), k -> newOfKey()).put(element, tracked);
          putInList(tracked);
          size++;
          return true;
        });
  }

  /** Writes the rows that name the tracked elements; before each commit. */
  void persist() {
    rows.persist(byKey.values());
  }

  private static Map<Element, Tracked> newOfKey() {
    return new LinkedHashMap<>(2); // of most keys one element is tracked
  }

  /**
   * An effect on {@code element} has passed.
   *
   * @return the key's deadline if it is tracked, too
   */
  @Nullable Tracked passed(Element element) {
    Map<Element, Tracked> ofKey = byKey.get(element.key());
    if (ofKey == null) {
      return null;
    }
    Tracked tracked = ofKey.get(element);
    if (tracked != null) {
      tracked.missesInRow = 0;
      tracked.probesInRow = 0;
    }
    boolean alone = ofKey.size() == (tracked == null ? 0 : 1);
    return alone || element.kind() == ElementKind.DEADLINE
        ? null
        : ofKey.get(Element.deadline(element.key()));
  }

  @Nullable Tracked get(Element element) {
    Map<Element, Tracked> ofKey = byKey.get(element.key());
    return ofKey == null ? null : ofKey.get(element);
  }

  /** The tracked elements of {@code key} as a list, by position. */
  NavigableMap<Bytes, Tracked> list(RedisKey key) {
    return lists.getOrDefault(key, Collections.emptyNavigableMap());
  }

  private void putInList(Tracked tracked) {
    Element element = tracked.element;
    if (element.kind() == ElementKind.LIST_ELEMENT) {
      lists.computeIfAbsent(element.key(), k -> new TreeMap<>()).put(element.name(), tracked);
    }
  }

  private void removeFromList(Tracked tracked) {
    Element element = tracked.element;
    NavigableMap<Bytes, Tracked> list = lists.get(element.key());
    if (element.kind() == ElementKind.LIST_ELEMENT && list != null) {
      list.remove(element.name());
      if (list.isEmpty()) {
        lists.remove(element.key());
      }
    }
  }

  Collection<Tracked> ofKey(RedisKey key) {
    Map<Element, Tracked> ofKey = byKey.get(key);
    return ofKey == null ? List.of() : List.copyOf(ofKey.values());
  }

  /** Effects on elements of {@code key} are under way. */
  boolean hasPending(RedisKey key) {
    Map<Element, Tracked> ofKey = byKey.get(key);
    if (ofKey != null) {
      for (Tracked tracked : ofKey.values()) {
        if (!tracked.pending.isEmpty() || !tracked.known) {
          return true;
        }
      }
    }
    return false;
  }

  List<Tracked> all() {
    List<Tracked> all = new ArrayList<>(size);
    byKey.values().forEach(ofKey -> all.addAll(ofKey.values()));
    return all;
  }

  void track(Tracked tracked) {
    Map<Element, Tracked> ofKey = byKey.computeIfAbsent(tracked.element.key(), k -> newOfKey());
    Tracked before = ofKey.put(tracked.element, tracked);
    if (before != tracked) {
      putInList(tracked);
    }
    if (before == null) {
      size++;
      rows.added();
    } else {
      tracked.row = before.row;
    }
  }

  void untrackIfSettled(Tracked tracked) {
    if (!tracked.isSettled()) {
      return;
    }
    Map<Element, Tracked> ofKey = byKey.get(tracked.element.key());
    if (ofKey != null && ofKey.remove(tracked.element) != null) {
      size--;
      rows.removed(tracked.row);
      tracked.row = null;
      if (ofKey.isEmpty()) {
        byKey.remove(tracked.element.key());
      }
      removeFromList(tracked);
    }
  }

  /** {@code tracked} has been sent {@code effect}. */
  void sent(Tracked tracked, Fx number, Effect effect) {
    tracked.send(number, effect);
    folding.addLast(new Folding(number, tracked));
  }

  /** The local log has shown {@code shown}: folds all effects up to it. */
  void advance(Fx shown, Watcher watcher) {
    while (!folding.isEmpty() && folding.peekFirst().number().atMost(shown)) {
      Folding next = folding.removeFirst();
      Tracked tracked = next.tracked();
      Tracked.Pending pending = tracked.pending.peekFirst();
      if (!tracked.known || pending == null || !pending.number().equals(next.number())) {
        missed.remove(next.number());
        continue; // forgotten since, for a probe
      }
      boolean foldMissed = tracked.foldFirst();
      if (pending.number().atMost(answered)) {
        if (missed.remove(pending.number()) != foldMissed) {
          watcher.wrong(tracked);
          continue;
        }
      } else {
        predicted.put(pending.number(), new Predicted(tracked.element, foldMissed));
      }
      untrackIfSettled(tracked);
      if (tracked.pending.isEmpty() && !tracked.isSettled()) {
        watcher.unsettled(tracked);
      }
    }
  }

  /**
   * Redis has applied the effects {@code first} to {@code last}; {@code misses} are the numbers
   * that missed.
   */
  void answered(int epoch, long first, long last, Set<Long> misses, Watcher watcher) {
    answered = Fx.max(answered, new Fx(epoch, last));
    if (misses.isEmpty() && predicted.isEmpty()) {
      return; // as mostly: Redis answers before the log shows the effects, and none missed
    }
    for (long n = first; n <= last; n++) {
      Fx number = new Fx(epoch, n);
      boolean wasMissed = misses.contains(n);
      Predicted prediction = predicted.remove(number);
      if (prediction == null) {
        if (wasMissed) {
          missed.add(number);
        }
      } else if (prediction.missed() != wasMissed) {
        Tracked tracked = get(prediction.element());
        if (tracked == null) {
          tracked = new Tracked(prediction.element(), Content.ABSENT, Content.ABSENT);
          track(tracked);
        }
        watcher.wrong(tracked);
      }
    }
    // Effects not folded yet remain in the queue; a miss among them is remembered above until they
    // are.
  }
}
