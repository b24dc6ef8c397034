package io.crosstide.simulation;

import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
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

  /** What clients did, as seen from the inside. */
  final Witness witness;

  /** The region's own log in its own Kafka. */
  final SimLog log = new SimLog();

  final CaptureStage capture;
  private final SimSentEffects sentEffects;

  /** This region's Kafka: for each region its log as far as it has been copied here. */
  final Map<Integer, List<ChangeEvent>> topics = new TreeMap<>();

  /** How far the bridge from each region has read that region's log. */
  final Map<Integer, Integer> bridged = new TreeMap<>();

  /** A second bridge from a region, while there are two: how far it has read. */
  final Map<Integer, Integer> twins = new TreeMap<>();

  private final SimRows rows = new SimRows();
  private final Map<Integer, Integer> positions = new TreeMap<>();
  private Map<Integer, Integer> committedPositions = new TreeMap<>();
  private final MergerConfig config;
  private final LongSupplier millis;
  private final EventCodec codec;
  private final Map<String, Integer> statistics;
  private final List<SimWire> orphans = new ArrayList<>();

  /**
   * Elements on which an effect passed its guard although it should not have: seen as A, gone to B
   * and back to A (P14). Or a deadline went with its key, which an effect emptied that was planned
   * with something of the key unseen.
   */
  final Set<Element> slipped = new HashSet<>();

  /** Last planned effect number to own seq merged when it was planned, of dead owners as well. */
  private final TreeMap<Fx, Long> planned = new TreeMap<>();

  private int owners;
  private SimRedis.Saved saved = SimRedis.Saved.NOTHING;
  private boolean lossUnread;
  private boolean hasLost;
  SimWire wire;
  PartitionMerger merger;

  SimRegion(
      int id,
      Set<Integer> members,
      LongSupplier millis,
      EventCodec codec,
      boolean realCapture,
      Plant plant,
      Map<String, Integer> statistics) {
    this.id = id;
    this.millis = millis;
    this.codec = codec;
    this.statistics = statistics;
    origin = Origin.of(id);
    redis = new SimRedis(millis, this);
    redis.plant = plant;
    witness = new Witness(origin, millis);
    redis.writesAs(origin, () -> witness.happened().size());
    sentEffects = new SimSentEffects(millis, plant);
    config = new MergerConfig(0, origin, members, 8, 1 << 20, 3, 4, 3, new SpillRule(1, 2));
    for (int member : members) {
      topics.put(member, new ArrayList<>());
      bridged.put(member, 0);
    }
    topics.put(id, log.records);
    capture =
        realCapture
            ? new SimCapture(origin, redis, log, millis, new AroundCapture(), plant, statistics)
            : new DirectCapture(
                origin, redis, witness, log::append, plant == Plant.LOSES_LIST_NEWS);
    wire = new SimWire(redis, sentEffects);
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
    owners++;
    fresh.start(log.lastSeq(), owners * 100, owners);
    if (owners % 3 != 0) {
      fresh.gather(); // as production's always do
    }
    return fresh;
  }

  // --- what is seen from the inside
  // -------------------------------------------------------------------------------------------------

  @Override
  public void entered(SimRedis.Item item) {
    witness.entered(item);
  }

  @Override
  public void effectPassed(Element element, Effect effect, Fx number, Content written) {
    witness.effectPassed(element, effect, number, written);
    boolean unseen = witness.lastLocalSeq(element) > knownAt(number);
    // An increment sent as such commutes with what it passes over; one in place of a put does not.
    boolean commutes = effect instanceof Effect.Add add && add.knows().isNone();
    if (unseen && !commutes) {
      count("passed over unseen local writes (P14)");
      slipped.add(element);
    }
  }

  @Override
  public void anotherMet(Element meant, Element met) {
    count("another element of a list met");
    slipped.add(meant);
    slipped.add(met);
  }

  @Override
  public void deadlineWentAlong(RedisKey key, Fx number) {
    if (witness.lastLocalSeq(key) > knownAt(number)) {
      count("deadlines gone with a key not seen as it was");
      slipped.add(Element.deadline(key));
    }
  }

  /** The last own seq that the owner had merged when it planned the effect. */
  private long knownAt(Fx number) {
    Map.Entry<Fx, Long> plan = planned.ceilingEntry(number);
    boolean noted = plan != null && plan.getKey().epoch() == number.epoch();
    return noted ? plan.getValue() : merger.merged().get(origin);
  }

  @Override
  public void effectForestalled(Effect.Put put, Fx number) {
    witness.effectForestalled(put, number);
  }

  /** What production's capture acts upon. */
  private final class AroundCapture implements SimCapture.Surroundings {
    @Override
    public void append(ChangeEvent event) {
      if (!log.append(event)) {
        count("records of replaced captures");
      } else if (!event.isControl()) {
        witness.captured(event);
      }
    }

    @Override
    public void resynced(List<ChangeEvent> differences, MarkerState marker) {
      // After a loss an owner may go on with an older marker; what had been claimed stays claimed.
      if (!hasLost && redis.marker != null && !redis.marker.equals(marker)) {
        throw new IllegalStateException("the marker is " + redis.marker + ", not " + marker);
      }
      witness.resynced(differences, redis.keyspace(), marker);
      lossUnread = false;
    }

    @Override
    public SentEffects sentEffects() {
      return sentEffects;
    }
  }

  // --- steps
  // -------------------------------------------------------------------------------------------------------------------------

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
    planned.putIfAbsent(new Fx(merger.epoch(), merger.lastNumber()), merger.merged().get(origin));
  }

  void tick() {
    guarded(() -> merger.tick(millis.getAsLong()));
    guarded(() -> merger.send());
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

  /** Capture is away for longer than the backlog lasts. */
  void overrunBacklog() {
    if (redis.marker != null) {
      count("backlog overruns");
      capture.disconnect();
      redis.replication.forget();
    }
  }

  /** Redis is killed and comes back with all it had; every connection is lost. */
  void restartRedis(Random random) {
    if (redis.marker == null || redis.beaconMillis == 0) {
      return; // capture would have to take it for one that has lost data (P8)
    }
    count("restarts of Redis");
    orphans.clear();
    if (wire.isConnected()) {
      cutWire(random);
    }
    redis.replication.restart();
    capture.redisRestarted();
  }

  /** Redis writes its file. */
  void save() {
    if (redis.marker != null) {
      saved = redis.save();
    }
  }

  /**
   * Redis is killed and comes back as it was when it last wrote its file, or empty. Clients come
   * back to it when capture has.
   */
  void loseData(Random random) {
    if (redis.marker == null || redis.beaconMillis == 0 || isLossUnread()) {
      return;
    }
    SimRedis.Saved file = random.nextBoolean() ? saved : SimRedis.Saved.NOTHING;
    if (file.beaconMillis() >= capture.lastBeaconKnown()) {
      return; // less was lost than a beacon's period, which nothing tells (docs/PROTOCOL.md, P8)
    }
    count("losses of data");
    orphans.clear();
    if (wire.isConnected()) {
      cutWire(random);
    }
    capture.redisRestarted();
    redis.restore(file);
    witness.lost(redis.keyspace());
    lossUnread = true;
    hasLost = true;
  }

  /** Redis has lost data, and capture has not read what is left. */
  boolean isLossUnread() {
    return lossUnread;
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
    wire = new SimWire(redis, sentEffects);
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
    if (merger.mustBeginAgain()) {
      count("owners that began again");
      merger.persist();
      wire.orphan();
      orphans.add(wire);
      wire = new SimWire(redis, sentEffects);
      merger = newMerger();
    }
  }

  // --- at the end
  // --------------------------------------------------------------------------------------------------------------------

  boolean isQuiet() {
    boolean read = true;
    for (int region : topics.keySet()) {
      read &= !hasUnread(region);
    }
    return read && capture.isIdle() && wire.isQuiet() && merger.isSettled();
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
        + " quiet "
        + wire.isQuiet()
        + " captured "
        + capture.isIdle()
        + " unread "
        + topics.keySet().stream().filter(this::hasUnread).toList()
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
    SimKeyspace.Value value = redis.value(key);
    if (value != null) {
      value.elements.keySet().forEach(name -> elements.add(new Element(key, value.kind, name)));
    }
    elements.add(new Element(key, ElementKind.DEADLINE, io.crosstide.crdt.Bytes.EMPTY));
    return elements;
  }
}
