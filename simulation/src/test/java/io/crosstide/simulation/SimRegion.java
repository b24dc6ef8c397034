package io.crosstide.simulation;

import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EventCodec;
import io.crosstide.protocol.merge.MergeStoppedException;
import io.crosstide.protocol.merge.MergerConfig;
import io.crosstide.protocol.merge.MergerListener;
import io.crosstide.protocol.merge.PartitionMerger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * One region: its Redis, its capture, its log and the copies of the others', and the owner of its
 * one partition.
 */
final class SimRegion implements SimRedis.StreamListener {
  final int id;
  final Origin origin;
  final SimRedis redis;

  /**
   * What clients did, stamped as they did it: what capture must publish, and what the oracle
   * merges.
   */
  final List<ChangeEvent> happened = new ArrayList<>();

  /** The region's own log in its own Kafka. */
  final List<ChangeEvent> log = new ArrayList<>();

  /** This region's Kafka: for each region its log as far as it has been copied here. */
  final Map<Integer, List<ChangeEvent>> topics = new TreeMap<>();

  /** How far the bridge from each region has read that region's log. */
  final Map<Integer, Integer> bridged = new TreeMap<>();

  private final SimRows rows = new SimRows();
  private final Map<Integer, Integer> positions = new TreeMap<>();
  private Map<Integer, Integer> committedPositions = new TreeMap<>();
  private final MergerConfig config;
  private final HybridLogicalClock clock;
  private final LongSupplier millis;
  private final EventCodec codec;
  private final Map<String, Integer> statistics;
  private final List<SimWire> orphans = new ArrayList<>();

  /**
   * Elements on which an effect passed its guard although it should not have: seen as A, gone to B
   * and back to A (P14).
   */
  final Set<Element> slipped = new HashSet<>();

  private final Map<Element, Long> lastLocalSeq = new HashMap<>();

  /** Last planned effect number to own seq merged when it was planned, for the present epoch. */
  private final TreeMap<Long, Long> planned = new TreeMap<>();

  private MarkerState known = MarkerState.initial(0);
  private int captured;
  private long seq;
  private int owners;
  SimWire wire;
  PartitionMerger merger;

  SimRegion(
      int id,
      Set<Integer> members,
      LongSupplier millis,
      EventCodec codec,
      Map<String, Integer> statistics) {
    this.id = id;
    this.millis = millis;
    this.codec = codec;
    this.statistics = statistics;
    origin = Origin.of(id);
    redis = new SimRedis(millis, this);
    clock = new HybridLogicalClock(millis, 1000);
    config = new MergerConfig(0, origin, members, 8, 1 << 20, 3, 4, 3, new SpillRule(1, 2));
    for (int member : members) {
      topics.put(member, new ArrayList<>());
      bridged.put(member, 0);
    }
    redis.stream.add(new SimRedis.MarkerGone()); // capture finds no marker at its first start
    wire = new SimWire(redis);
    merger = newMerger();
  }

  private void count(String what) {
    statistics.merge(what, 1, Integer::sum);
  }

  private PartitionMerger newMerger() {
    PartitionMerger fresh =
        new PartitionMerger(
            config,
            rows,
            wire,
            codec,
            new MergerListener() {
              @Override
              public void miss(Element element, String reason) {
                count("misses");
              }

              @Override
              public void probe(Element element) {
                count("probes");
              }

              @Override
              public void duplicate(ChangeEvent event) {
                count("duplicates");
              }

              @Override
              public void conflict(ChangeEvent event, Element element) {
                count("conflicts");
              }

              @Override
              public void unrepresentable(Element element, String reason) {
                count("unrepresentable");
              }
            });
    fresh.start(seqAtLogEnd(), ++owners * 100);
    planned.clear();
    return fresh;
  }

  private long seqAtLogEnd() {
    return log.isEmpty() ? 0 : log.get(log.size() - 1).seq();
  }

  // --- the oracle's view of the stream
  // -----------------------------------------------------------------------------------------------

  @Override
  public void entered(SimRedis.Item item) {
    if (item instanceof SimRedis.Marker marker) {
      known = follow(known, marker.marker());
    } else if (item instanceof SimRedis.Changes changes) {
      int count = changes.changes().size();
      for (int i = 0; i < count; i++) {
        happened.add(stamp(changes.changes().get(i), changes.millis(), i, count));
      }
    }
  }

  private ChangeEvent stamp(SimRedis.KeyChange change, long at, int index, int count) {
    seq++;
    VersionVector context = known.context();
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>();
    if (change.change() instanceof Change.OfElement of) {
      Element element = new Element(change.key(), of.kind(), of.name());
      lastLocalSeq.put(element, seq);
      context = known.contextOf(element);
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
      lastLocalSeq.keySet().stream()
          .filter(element -> element.key().equals(change.key()))
          .toList()
          .forEach(element -> lastLocalSeq.put(element, seq));
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
        count > 1 ? new ChangeEvent.TransactionPart(seq - index, index, count) : null);
  }

  @Override
  public void effectPassed(Element element, Effect effect, Fx number) {
    if (number.epoch() != merger.epoch()) {
      return;
    }
    Map.Entry<Long, Long> plan = planned.ceilingEntry(number.number());
    long knew = plan == null ? merger.merged().get(origin) : plan.getValue();
    boolean unseen = lastLocalSeq.getOrDefault(element, 0L) > knew;
    if (unseen && !(effect instanceof Effect.Add)) {
      count("passed over unseen local writes (P14)");
      slipped.add(element);
    }
  }

  /** What capture knows after a marker: its context is a running maximum (P3). */
  private static MarkerState follow(MarkerState known, MarkerState marker) {
    if (marker.context().dominates(known.context())) {
      return marker;
    }
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>(known.exceptions());
    exceptions.putAll(marker.exceptions());
    return new MarkerState(
        marker.epoch(), marker.fx(), known.context().join(marker.context()), exceptions);
  }

  /** The claim that the next local write on {@code element} would be stamped with. */
  VersionVector claim(Element element) {
    return known.contextOf(element);
  }

  // --- steps
  // -------------------------------------------------------------------------------------------------------------------------

  boolean hasUncaptured() {
    return captured < redis.stream.size();
  }

  /** Capture reads the next thing in the stream and publishes what it means. */
  void capture(Random random) {
    SimRedis.Item item = redis.stream.get(captured++);
    if (item instanceof SimRedis.Changes changes) {
      for (int i = 0; i < changes.changes().size(); i++) {
        publish(happened.get(published++));
      }
    } else if (item instanceof SimRedis.Marker marker) {
      capturedMarker = follow(capturedMarker, marker.marker());
      if (marker.heldProbe() || random.nextInt(4) == 0) {
        beat();
      }
    } else {
      publish(
          control(new Change.MarkerLost(), capturedMarker.context(), capturedMarker.exceptions()));
    }
  }

  private int published;
  private MarkerState capturedMarker = MarkerState.initial(0);

  void beat() {
    VersionVector floor = capturedMarker.context();
    for (MarkerState.Missed missed : capturedMarker.exceptions().values()) {
      floor = floor.meet(missed.context());
    }
    publish(control(new Change.Beat(floor), VersionVector.EMPTY, Map.of()));
  }

  private ChangeEvent control(
      Change.Control change, VersionVector context, Map<String, MarkerState.Missed> exceptions) {
    long last = published == 0 ? 0 : happened.get(published - 1).seq();
    return new ChangeEvent(
        origin,
        last,
        last,
        1,
        clock.last(),
        context,
        exceptions,
        capturedMarker.fx(),
        null,
        change,
        ChangeEvent.StreamPosition.UNKNOWN,
        null);
  }

  private void publish(ChangeEvent event) {
    log.add(event);
    topic(id).add(event);
  }

  List<ChangeEvent> topic(int region) {
    return Objects.requireNonNull(topics.get(region));
  }

  boolean hasUnread(int region) {
    return positions.getOrDefault(region, 0) < topic(region).size();
  }

  /** The owner reads the next record of {@code region}'s log. */
  void feed(int region) {
    int position = positions.getOrDefault(region, 0);
    positions.put(region, position + 1);
    guarded(() -> merger.onEvent(topic(region).get(position)));
    notePlans();
  }

  private void notePlans() {
    planned.put(merger.lastNumber(), merger.merged().get(origin));
  }

  void tick() {
    guarded(() -> merger.tick(millis.getAsLong()));
    notePlans();
  }

  void connect() {
    guarded(() -> wire.connect(merger));
  }

  void execute(boolean refuse) {
    wire.execute(refuse);
  }

  void reply() {
    guarded(() -> wire.reply(merger));
    notePlans();
  }

  void cutWire(Random random) {
    guarded(() -> wire.cut(merger, random));
  }

  /** A call of an owner that is gone arrives late. */
  void orphanedCall(Random random) {
    if (!orphans.isEmpty()) {
      SimWire orphan = orphans.get(random.nextInt(orphans.size()));
      if (orphan.hasCalls()) {
        orphan.execute(false);
      } else {
        orphans.remove(orphan);
      }
    }
  }

  void commit() {
    merger.persist();
    rows.commit();
    committedPositions = new TreeMap<>(positions);
    count("commits");
    if (rows.count('I') > 0) {
      count("commits with increments in rows");
    }
  }

  /**
   * {@code kill -9} of the owner: everything since the last commit is gone, what it sent may still
   * arrive.
   */
  void crashOwner(Random random) {
    count("owner crashes");
    wire.orphan();
    if (wire.hasCalls() && random.nextBoolean()) {
      orphans.add(wire);
    }
    rows.rollBack();
    positions.clear();
    positions.putAll(committedPositions);
    wire = new SimWire(redis);
    merger = newMerger();
  }

  private void guarded(Runnable step) {
    try {
      step.run();
    } catch (MergeStoppedException e) {
      if (e.reason() != MergeStoppedException.Reason.FENCED) {
        throw e;
      }
      count("fenced");
      crashOwner(new Random(0));
    }
  }

  // --- at the end
  // --------------------------------------------------------------------------------------------------------------------

  boolean isQuiet() {
    boolean read = true;
    for (int region : topics.keySet()) {
      read &= !hasUnread(region);
    }
    return read && !hasUncaptured() && wire.isQuiet() && merger.isSettled();
  }

  String describe() {
    return merger.phase()
        + " epoch "
        + merger.epoch()
        + " last "
        + merger.lastNumber()
        + " held "
        + rows.count((char) 72)
        + " sender "
        + merger.senderState()
        + " settled "
        + merger.isSettled()
        + " tracked "
        + merger.tracked()
        + " backlog "
        + merger.backlog()
        + " wire "
        + wire.isConnected()
        + " marker "
        + redis.marker
        + " merged "
        + merger.merged();
  }

  SimRows rows() {
    return rows;
  }

  Set<Element> elementsOf(RedisKey key) {
    Set<Element> elements = new HashSet<>();
    SimRedis.Value value = redis.value(key);
    if (value != null) {
      value.elements.keySet().forEach(name -> elements.add(new Element(key, value.kind, name)));
    }
    elements.add(new Element(key, ElementKind.DEADLINE, io.crosstide.crdt.Bytes.EMPTY));
    return elements;
  }
}
