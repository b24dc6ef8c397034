package io.crosstide.simulation;

import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sees one region's Redis from the inside: what clients did, when they did it, stamped with what
 * this Redis then held. The oracle merges that, and capture must publish that: {@link #captured}
 * compares.
 *
 * <p><b>Full resyncs.</b> What clients did while capture was cut off cannot be known from a
 * snapshot. By specification (P7) differences stand in for it: they lead from Redis as it was where
 * the log ends, with the effects that passed since, to what Redis holds. {@link #resynced} checks
 * that they do, and that they concern nothing that no client touched; from then on they are what
 * happened. A client's write that an effect repeated cannot be told from the effect.
 */
final class Witness {
  /** Something in the stream behind the log's end. */
  private sealed interface Behind {}

  private record Local(SimRedis.KeyChange change) implements Behind {}

  /**
   * @param clamped a deadline was put off: who remembers only what was sent cannot know
   */
  private record Passed(Element element, Effect effect, Fx number, Content written, boolean clamped)
      implements Behind {
    /** The same without the local changes before it that are not known; null if it then misses. */
    @Nullable Passed onto(Content content) {
      Content sum =
          effect instanceof Effect.Add add
              ? EffectSemantics.add(element, content, add.delta())
              : written;
      return sum == null ? null : new Passed(element, effect, number, sum, clamped);
    }
  }

  /** A put that missed what a client had written already: its own desired content. */
  private record Forestalled(Effect.Put put, Fx number) implements Behind {}

  /** The marker as a batch left it. */
  private record Moved(MarkerState marker) implements Behind {}

  /** Redis's content and what capture found differ. */
  static final class Mismatch extends IllegalStateException {
    private static final long serialVersionUID = 1;

    Mismatch(String message) {
      super(message);
    }
  }

  private final Origin origin;
  private final LongSupplier millis;
  private final HybridLogicalClock clock;
  private final List<ChangeEvent> happened = new ArrayList<>();
  private final Map<Element, Long> lastOfElement = new HashMap<>();
  private final Map<RedisKey, Long> lastOfWholeKey = new HashMap<>();
  private MarkerState known = MarkerState.initial(0);

  /** How many of {@link #happened} are in the log, and Redis as of the last of them. */
  private int captured;

  private final SimKeyspace base = new SimKeyspace();
  private MarkerState markerAtBase = MarkerState.initial(0);
  private final List<Behind> behind = new ArrayList<>();

  Witness(Origin origin, LongSupplier millis) {
    this.origin = origin;
    this.millis = millis;
    clock = new HybridLogicalClock(millis, 1000);
  }

  /** Events in the order of their seqs: those in the log, then those that are to come. */
  List<ChangeEvent> happened() {
    return happened;
  }

  // --- as it happens
  // ----------------------------------------------------------------------------------------------------------------

  void entered(SimRedis.Item item) {
    if (item instanceof SimRedis.Marker marker) {
      known = follow(known, marker.marker());
      behind.add(new Moved(known));
    } else if (item instanceof SimRedis.Changes changes) {
      int count = changes.changes().size();
      for (int i = 0; i < count; i++) {
        happened.add(stamp(changes.changes().get(i), changes.millis(), i, count));
        behind.add(new Local(changes.changes().get(i)));
      }
    }
  }

  void effectPassed(Element element, Effect effect, Fx number, Content written) {
    if (!(effect instanceof Effect.Check)) {
      boolean clamped = effect instanceof Effect.Put put && !put.desired().equals(written);
      behind.add(new Passed(element, effect, number, written, clamped));
    }
  }

  void effectForestalled(Effect.Put put, Fx number) {
    behind.add(new Forestalled(put, number));
  }

  private ChangeEvent stamp(SimRedis.KeyChange change, long at, int index, int count) {
    long seq = happened.size() + 1L;
    VersionVector context = known.context();
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>();
    if (change.change() instanceof Change.OfElement of) {
      Element element = new Element(change.key(), of.kind(), of.name());
      lastOfElement.put(element, seq);
      context = claim(element);
    } else {
      String digest = Element.keyDigest(change.key());
      known
          .exceptions()
          .forEach(
              (element, missed) -> {
                if (element.startsWith(digest)) {
                  exceptions.put(element, missed);
                }
              });
      lastOfWholeKey.put(change.key(), seq);
    }
    return new ChangeEvent(
        origin,
        seq,
        seq - 1,
        1,
        clock.nextAt(at),
        context,
        exceptions,
        known.fx(),
        change.key(),
        change.change(),
        new ChangeEvent.StreamPosition("", seq, index),
        count > 1 ? new ChangeEvent.TransactionPart(seq - index, index, count) : null,
        change.createsKey());
  }

  /** What capture knows after a marker: number and context are running maxima (P3). */
  static MarkerState follow(MarkerState known, MarkerState marker) {
    Fx fx = Fx.max(known.fx(), marker.fx());
    if (marker.context().dominates(known.context())) {
      return new MarkerState(
          marker.epoch(), fx, marker.preceding(), marker.context(), marker.exceptions());
    }
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>(known.exceptions());
    exceptions.putAll(marker.exceptions());
    return new MarkerState(
        marker.epoch(), fx, marker.preceding(), known.context().join(marker.context()), exceptions);
  }

  /** The claim that the next local write on {@code element} would be stamped with. */
  VersionVector claim(Element element) {
    return known.contextOf(element);
  }

  /** What Redis holds of the other logs, exceptions aside. */
  VersionVector context() {
    return known.context();
  }

  /** The seq of the last local change of {@code element} or its whole key; 0 if there was none. */
  long lastLocalSeq(Element element) {
    return Math.max(
        lastOfElement.getOrDefault(element, 0L), lastOfWholeKey.getOrDefault(element.key(), 0L));
  }

  /** The seq of the last local change of anything of {@code key}; 0 if there was none. */
  long lastLocalSeq(RedisKey key) {
    long last = lastOfWholeKey.getOrDefault(key, 0L);
    for (Map.Entry<Element, Long> entry : lastOfElement.entrySet()) {
      last = entry.getKey().key().equals(key) ? Math.max(last, entry.getValue()) : last;
    }
    return last;
  }

  // --- as it is captured
  // ------------------------------------------------------------------------------------------------------------

  /** An event has got into the log: it must be the next thing that happened. */
  void captured(ChangeEvent event) {
    if (event.seq() != captured + 1L || captured == happened.size()) {
      throw new Mismatch(
          "the log has " + captured + " events of " + happened.size() + ", then comes " + event);
    }
    ChangeEvent expected = happened.get(captured);
    boolean same =
        sameChange(expected, event)
            && event.origin().equals(origin)
            && event.previousSeq() == event.seq() - 1
            && expected.context().equals(event.context())
            && expected.exceptions().equals(event.exceptions())
            && expected.fx().equals(event.fx())
            && expected.createsKey() == event.createsKey()
            && samePart(expected.transaction(), event.transaction());
    if (!same) {
      throw new Mismatch("captured " + event + "\n  of " + expected);
    }
    happened.set(captured, event);
    captured++;
    int at = 0;
    for (; !(behind.get(at) instanceof Local); at++) {
      if (behind.get(at) instanceof Passed passed) {
        base.write(passed.element(), passed.written());
      } else if (behind.get(at) instanceof Moved moved) {
        markerAtBase = moved.marker();
      }
    }
    base.apply(((Local) behind.get(at)).change());
    behind.subList(0, at + 1).clear();
  }

  /** A delete shortly before the key's deadline may be taken for its expiry (P25). */
  private boolean sameChange(ChangeEvent expected, ChangeEvent event) {
    RedisKey key = event.key();
    if (key == null || !key.equals(expected.key())) {
      return false;
    }
    if (expected.change() instanceof Change.KeyDelete
        && event.change() instanceof Change.KeyExpire expiry) {
      SimKeyspace.Value value = base.value(key);
      return value != null
          && value.deadline == expiry.deadlineMillis()
          && expiry.deadlineMillis() <= millis.getAsLong() + 2 * SimCapture.SLACK_MILLIS;
    }
    return expected.change().equals(event.change());
  }

  private static boolean samePart(
      ChangeEvent.@Nullable TransactionPart a, ChangeEvent.@Nullable TransactionPart b) {
    if (a == null || b == null) {
      return a == null && b == null;
    }
    return a.index() == b.index() && a.count() == b.count();
  }

  /** Redis has come back with something older: what is not in the log has not happened. */
  void lost(SimKeyspace actual) {
    happened.subList(captured, happened.size()).clear();
    behind.clear();
    base.become(actual);
    markerAtBase = known;
    lastOfElement.clear();
    lastOfWholeKey.clear();
    happened.forEach(this::remember);
  }

  // --- full resyncs
  // ---------------------------------------------------------------------------------------------------------------------

  /**
   * Capture has compared a snapshot of {@code actual} and is about to publish {@code differences}.
   *
   * @param marker what the snapshot has of it; what capture knew before if it has none
   */
  void resynced(List<ChangeEvent> differences, SimKeyspace actual, MarkerState marker) {
    known = marker;
    Set<Element> touched = new HashSet<>();
    Set<RedisKey> touchedKeys = new HashSet<>();
    Deque<ChangeEvent> left = new ArrayDeque<>(differences);
    List<Behind> explained = new ArrayList<>();
    Map<RedisKey, Content> putOff = new HashMap<>();
    MarkerState at = markerAtBase;
    SimKeyspace truth = base.copy();
    for (Behind thing : behind) {
      if (thing instanceof Moved moved) {
        while (!left.isEmpty() && left.getFirst().fx().compareTo(moved.marker().lastEffect()) < 0) {
          explained.add(placed(left.removeFirst(), at, touchedKeys));
        }
        at = moved.marker();
      } else if (thing instanceof Passed passed) {
        while (!left.isEmpty() && left.getFirst().fx().compareTo(passed.number()) < 0) {
          explained.add(placed(left.removeFirst(), at, touchedKeys));
        }
        truth.write(passed.element(), passed.written());
        if (passed.clamped()) {
          touched.add(passed.element());
          putOff.put(passed.element().key(), ((Effect.Put) passed.effect()).desired());
        }
      } else if (thing instanceof Local local) {
        touch(local.change(), truth, touched, touchedKeys);
        truth.apply(local.change());
        if (!left.isEmpty() && isExpiry(local.change(), left.getFirst(), putOff)) {
          left.removeFirst();
        } else {
          continue;
        }
      }
      explained.add(thing);
    }
    for (ChangeEvent difference : left) {
      check(difference, touched, touchedKeys);
      RedisKey key = Objects.requireNonNull(difference.key());
      explained.add(new Local(new SimRedis.KeyChange(key, difference.change())));
    }
    behind.clear();
    SimKeyspace reached = replay(explained, Set.of());
    Set<Element> repeated = differing(reached, actual);
    if (!repeated.isEmpty()) {
      behind.clear();
      reached = replay(explained, repeated);
    }
    if (!reached.contents().equals(actual.contents())) {
      throw new Mismatch(
          differences + " lead to\n" + reached.contents() + "\nof\n" + actual.contents());
    }
    happened.subList(captured, happened.size()).clear();
    happened.addAll(differences);
    lastOfElement.clear();
    lastOfWholeKey.clear();
    happened.forEach(this::remember);
  }

  /**
   * What Redis holds after {@code things}, which become what is behind the log's end.
   *
   * @param repeated elements of which a put that came too late is taken to have been first: without
   *     the client's write it would have passed, with the same result
   */
  private SimKeyspace replay(List<Behind> things, Set<Element> repeated) {
    SimKeyspace reached = base.copy();
    for (Behind thing : things) {
      if (thing instanceof Passed passed) {
        Passed now = passed.onto(reached.content(passed.element()));
        if (now != null) {
          reached.write(now.element(), now.written());
          behind.add(now);
        }
      } else if (thing instanceof Forestalled forestalled) {
        Effect.Put put = forestalled.put();
        Element element = put.element();
        if (repeated.contains(element) && reached.content(element).equals(put.expected())) {
          reached.write(element, put.desired());
          behind.add(new Passed(element, put, forestalled.number(), put.desired(), false));
        }
      } else if (thing instanceof Local local) {
        reached.apply(local.change());
        behind.add(local);
      } else {
        behind.add(thing);
      }
    }
    return reached;
  }

  private static Set<Element> differing(SimKeyspace one, SimKeyspace other) {
    Map<Element, Content> left = one.contents();
    Map<Element, Content> right = other.contents();
    Set<Element> differing = new HashSet<>(left.keySet());
    differing.addAll(right.keySet());
    differing.removeIf(element -> Objects.equals(left.get(element), right.get(element)));
    return differing;
  }

  /**
   * The difference is this expiry, of the deadline that Redis held, or that an effect gave: one so
   * near that it was put off is known as it was sent, which is also what it is in every other
   * region.
   */
  private static boolean isExpiry(
      SimRedis.KeyChange local, ChangeEvent difference, Map<RedisKey, Content> putOff) {
    if (!(local.change() instanceof Change.KeyExpire)
        || !(difference.change() instanceof Change.KeyExpire found)
        || !local.key().equals(difference.key())) {
      return false;
    }
    return found.equals(local.change())
        || putOff
            .getOrDefault(local.key(), Content.ABSENT)
            .equals(Content.deadline(found.deadlineMillis()));
  }

  /**
   * A difference published as of a place among the effects, where effects prove it: a key that a
   * client touched before had gone.
   */
  private static Local placed(
      ChangeEvent difference, MarkerState at, Set<RedisKey> touchedKeysBefore) {
    RedisKey key = Objects.requireNonNull(difference.key());
    boolean gone =
        difference.change() instanceof Change.KeyDelete
            || difference.change() instanceof Change.KeyExpire;
    if (!gone
        || !touchedKeysBefore.contains(key)
        || !difference.context().equals(at.context())
        || !difference.fx().atMost(at.fx())
        || !at.lastEffect().atMost(difference.fx())) {
      throw new Mismatch(
          "published amid effects: "
              + difference
              + "\n  with marker "
              + at
              + "; clients touched "
              + touchedKeysBefore);
    }
    return new Local(new SimRedis.KeyChange(key, difference.change()));
  }

  private void touch(
      SimRedis.KeyChange change,
      SimKeyspace before,
      Set<Element> touched,
      Set<RedisKey> touchedKeys) {
    RedisKey key = change.key();
    touchedKeys.add(key);
    touched.add(Element.deadline(key));
    if (change.change() instanceof Change.OfElement of) {
      touched.add(new Element(key, of.kind(), of.name()));
    } else {
      touched.addAll(before.contents(key).keySet());
      touched.add(Element.string(key));
    }
  }

  /** A difference is of something that a client touched, and seen by what the marker says. */
  private void check(ChangeEvent difference, Set<Element> touched, Set<RedisKey> touchedKeys) {
    Element element = difference.element();
    boolean byClient =
        element == null ? touchedKeys.contains(difference.key()) : touched.contains(element);
    if (!byClient) {
      throw new Mismatch("published at a resync though no client did it: " + difference);
    }
    VersionVector claim = element == null ? known.context() : claim(element);
    if (!difference.context().equals(claim) || !difference.fx().equals(known.fx())) {
      throw new Mismatch("found at a resync: " + difference + "\n  with marker " + known);
    }
  }

  private void remember(ChangeEvent event) {
    Element element = event.element();
    if (element != null) {
      lastOfElement.put(element, event.seq());
    } else {
      lastOfWholeKey.put(Objects.requireNonNull(event.key()), event.seq());
    }
  }
}
