package io.crosstide.simulation;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.MergedKeys;
import io.crosstide.protocol.merge.PartitionMerger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One run: a schedule drawn from a seed, the invariants after every step, and the comparison at the
 * end.
 */
final class Simulation {
  /**
   * What a schedule may contain.
   *
   * @param exactness checks B' at every look of a client
   */
  record Options(
      int regions,
      int keys,
      int steps,
      boolean deadlines,
      boolean crashes,
      boolean lostReplies,
      boolean refusals,
      boolean lostMarkers,
      boolean exactness,
      boolean realCapture,
      Plant plant) {
    static Options all() {
      return new Options(3, 4, 600, false, true, true, true, true, true, false, Plant.NONE);
    }

    /** As {@link #all}, with keys that expire. */
    static Options withDeadlines() {
      return new Options(3, 4, 600, true, true, true, true, true, true, false, Plant.NONE);
    }

    /** Fewer keys and steps: each look merges all that was done to its key. */
    static Options ofFewKeys(boolean deadlines) {
      return new Options(3, 2, 400, deadlines, true, true, true, true, true, false, Plant.NONE);
    }

    Options planted(Plant bug) {
      return new Options(
          regions,
          keys,
          steps,
          deadlines,
          crashes,
          lostReplies,
          refusals,
          lostMarkers,
          exactness,
          realCapture,
          bug);
    }

    /**
     * The same with production's capture, and its crashes. A delete just before a deadline may be
     * published as the expiry (P25).
     */
    Options withRealCapture() {
      return new Options(
          regions,
          keys,
          steps,
          deadlines,
          crashes,
          lostReplies,
          refusals,
          lostMarkers,
          exactness,
          true,
          plant);
    }
  }

  /** An invariant does not hold; the message has the seed. */
  static final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    Violation(String message) {
      super(message);
    }
  }

  private static final int DRAIN_STEPS_MAX = 20_000;
  private static final int QUIET_ROUNDS = 200;
  private static final int BEACON_MILLIS = 16;

  private final long seed;
  private final Options options;
  private final Random random;
  private final Map<Integer, SimRegion> regions = new TreeMap<>();
  private final Map<Integer, Long> skew = new TreeMap<>();
  private final Set<List<Integer>> cuts = new HashSet<>();
  private final Workload workload;
  final Map<String, Integer> statistics = new TreeMap<>();
  private final StringBuilder trace = new StringBuilder();
  private long now = 1_000_000;
  private long lastBeacons;
  private int step;
  private boolean hot;
  private boolean losing;

  /** How much of what waits a step may move on at once. */
  private int pace = 1;

  Simulation(long seed, Options options) {
    this.seed = seed;
    this.options = options;
    random = new Random(seed);
    workload =
        new Workload(
            new Random(random.nextLong()),
            options.keys(),
            options.deadlines(),
            random.nextBoolean(),
            options.realCapture());
    Set<Integer> members = new TreeSet<>();
    for (int id = 1; id <= options.regions(); id++) {
      members.add(id);
    }
    SimCodec codec = new SimCodec();
    for (int id : members) {
      skew.put(id, (long) random.nextInt(30));
      SimRegion region =
          new SimRegion(
              id,
              members,
              () -> now + skew.getOrDefault(id, 0L),
              codec,
              options.realCapture(),
              options.plant(),
              statistics);
      regions.put(id, region);
    }
  }

  /**
   * Makes most commands increments of few elements, in bursts, and cuts longer, so that many
   * increments are unstable at a time.
   */
  Simulation hotCounters() {
    hot = true;
    workload.heat();
    return this;
  }

  /** Most commands are about lists. */
  Simulation lists() {
    workload.withLists();
    return this;
  }

  /** Clients publish messages too; each must be heard once in every region. */
  Simulation messages() {
    workload.talk();
    return this;
  }

  /**
   * Moves what waits on in runs of up to {@code pace}, and begins with owners that have taken over:
   * they then spend most of the schedule writing, where otherwise they spend it taking over.
   */
  Simulation paced(int most) {
    pace = most;
    return this;
  }

  /**
   * Each Redis comes back older or empty now and then. Until it is refilled a client sees less than
   * its context claims (P8), so that is not looked at.
   */
  Simulation losing() {
    losing = true;
    return this;
  }

  /** Runs the schedule and the checks; the same seed gives the same trace. */
  String run() {
    try {
      if (pace > 1) {
        settle();
      }
      for (step = 0; step < options.steps(); step++) {
        step();
      }
      drain();
      compare();
    } catch (Violation e) {
      throw e;
    } catch (RuntimeException e) {
      Violation violation = new Violation("seed " + seed + " step " + step + ": " + e);
      violation.initCause(e);
      throw violation;
    }
    return trace.toString();
  }

  private Violation violation(String what) {
    return new Violation("seed " + seed + " step " + step + ": " + what);
  }

  private SimRegion any() {
    return region(1 + random.nextInt(options.regions()));
  }

  private SimRegion region(int id) {
    return Objects.requireNonNull(regions.get(id));
  }

  private void step() {
    for (SimRegion each : regions.values()) {
      if (each.merger.phase() == PartitionMerger.Phase.RUNNING) {
        statistics.merge("steps of a running owner", 1, Integer::sum);
      }
    }
    if (random.nextInt(3) == 0) {
      now += random.nextInt(4);
    }
    SimRegion region = any();
    if (options.realCapture()) {
      beacons();
      faultOfCaptureOrBridge(region);
    }
    if (losing) {
      int loss = random.nextInt(1000);
      if (loss < 10) {
        region.save();
      } else if (loss < 15) {
        region.loseData(random);
      }
    }
    int dice = random.nextInt(1000);
    if (dice < 230) {
      client(region);
    } else if (dice < 430) {
      repeatedly(() -> region.capture.step(random));
    } else if (dice < 580) {
      SimRegion from = any();
      repeatedly(() -> bridge(from, region));
    } else if (dice < 740) {
      int from = 1 + random.nextInt(options.regions());
      repeatedly(() -> read(region, from));
    } else if (dice < 900) {
      repeatedly(() -> wire(region));
    } else if (dice < 915) {
      region.tick();
    } else if (dice < 930) {
      cutOrHeal(region);
    } else if (dice < 955) {
      region.commit();
    } else if (dice < 965) {
      if (options.crashes()) {
        region.crashOwner(random);
      }
    } else if (dice < 972) {
      region.orphanedCall(random);
    } else if (dice < 980) {
      if (options.lostReplies() && region.wire.isConnected()) {
        region.cutWire(random);
      }
    } else if (dice < 984) {
      loseMarker(region);
    } else if (dice < 990) {
      bridgeRestarts(any(), region);
    } else {
      skew.put(region.id, (long) random.nextInt(30));
    }
  }

  private void repeatedly(Runnable move) {
    int times = pace == 1 ? 1 : 1 + random.nextInt(pace);
    for (int i = 0; i < times; i++) {
      move.run();
    }
  }

  private void beacons() {
    if (now - lastBeacons >= BEACON_MILLIS) {
      lastBeacons = now;
      regions.values().forEach(region -> region.capture.beacon());
    }
  }

  private void faultOfCaptureOrBridge(SimRegion region) {
    int dice = random.nextInt(1000);
    if (dice < 6) {
      if (!region.isLossUnread()) {
        region.capture.crash(random);
      }
    } else if (dice < 12) {
      region.capture.disconnect();
    } else if (dice < 18) {
      region.overrunBacklog();
    } else if (dice < 22) {
      region.restartRedis(random);
    } else if (dice < 60) {
      twinBridge(any(), region);
    }
  }

  /** Two bridges at once: the older one goes on for a while beside its successor. */
  private void twinBridge(SimRegion from, SimRegion to) {
    if (from == to) {
      return;
    }
    int at = to.twins.getOrDefault(from.id, -1);
    if (at < 0) {
      int beside = to.bridged.getOrDefault(from.id, 0);
      to.twins.put(from.id, Math.max(0, beside - random.nextInt(10)));
      statistics.merge("bridges beside another", 1, Integer::sum);
    } else if (random.nextInt(10) == 0) {
      to.twins.remove(from.id);
    } else if (at < from.log.size() && !cuts.contains(List.of(from.id, to.id))) {
      to.topic(from.id).add(from.log.records.get(at));
      to.twins.put(from.id, at + 1);
    }
  }

  private void client(SimRegion region) {
    if (region.isLossUnread()) {
      return;
    }
    List<SimRedis.KeyChange> changes =
        workload.next(region.redis, now + skew.getOrDefault(region.id, 0L));
    if (changes.isEmpty()) {
      return;
    }
    for (SimRedis.KeyChange change : changes) {
      if (!(change.change() instanceof Change.Publish)) {
        look(region, change.key());
      }
    }
    trace.append(region.id).append(changes).append('\n');
    region.redis.client(changes);
    for (int more = hot ? random.nextInt(4) : 0; more > 0; more--) {
      region.redis.client(workload.next(region.redis, now + skew.getOrDefault(region.id, 0L)));
    }
  }

  private void bridge(SimRegion from, SimRegion to) {
    if (from == to || cuts.contains(List.of(from.id, to.id))) {
      return;
    }
    int at = to.bridged.getOrDefault(from.id, 0);
    if (at < from.log.size()) {
      to.topic(from.id).add(from.log.records.get(at));
      to.bridged.put(from.id, at + 1);
    }
  }

  /** The bridge resumes from an older position: some records are sent again. */
  private void bridgeRestarts(SimRegion from, SimRegion to) {
    if (from != to) {
      int at = to.bridged.getOrDefault(from.id, 0);
      to.bridged.put(from.id, Math.max(0, at - random.nextInt(5)));
    }
  }

  private void read(SimRegion region, int from) {
    if (region.hasUnread(from)) {
      region.feed(from);
    }
  }

  private void wire(SimRegion region) {
    if (!region.wire.isConnected()) {
      region.connect();
    } else if (random.nextBoolean()) {
      if (region.wire.hasCalls()) {
        region.execute(options.refusals() && random.nextInt(20) == 0);
      }
    } else if (region.wire.hasReplies()) {
      region.reply();
    }
  }

  private void cutOrHeal(SimRegion region) {
    if (!cuts.isEmpty() && (hot ? random.nextInt(6) == 0 : random.nextBoolean())) {
      cuts.clear();
    } else {
      SimRegion other = any();
      cuts.add(List.of(region.id, other.id));
      cuts.add(List.of(other.id, region.id));
    }
  }

  private void loseMarker(SimRegion region) {
    if (!options.lostMarkers() || region.capture.isBeforeSnapshot()) {
      return;
    }
    trace.append(region.id).append(" loses its marker\n");
    if (random.nextInt(3) == 0) {
      region.redis.flush();
    } else {
      region.redis.takeMarker();
    }
  }

  // --- B': what a client sees is what its context will claim
  // -------------------------------------------------------------------------

  private void look(SimRegion region, RedisKey key) {
    if (!options.exactness() || losing) {
      return;
    }
    region.redis.expireIfDue(key);
    Map<VersionVector, MergedKeys> oracles =
        new TreeMap<>((a, b) -> a.encode().compareTo(b.encode()));
    Set<Element> elements = new TreeSet<>(region.elementsOf(key));
    elements.addAll(
        oracle(region, key, region.witness.claim(Element.deadline(key)), oracles).touched());
    for (Element element : elements) {
      if (region.slipped.contains(element)) {
        statistics.merge("looks not checked", 1, Integer::sum);
        continue;
      }
      statistics.merge("looks", 1, Integer::sum);
      Content seen = region.redis.look(element);
      MergedKeys oracle = oracle(region, key, region.witness.claim(element), oracles);
      Content claimed = oracle.content(element);
      if (!seen.equals(claimed) && isAmidTypeConflict(region, element, oracle, oracles)) {
        // Which type is visible depends on elements of the other types, whose local writes no guard
        // on this element can see. Writes on
        // one element remove nothing of another, so that only a whole-key overwrite amid a type
        // conflict could tell.
        statistics.merge("looks amid a type conflict", 1, Integer::sum);
        continue;
      }
      if (!seen.equals(claimed) && dependsOnOthers(region, element, oracle)) {
        statistics.merge("looks at a deadline whose key hangs on others", 1, Integer::sum);
        continue;
      }
      if (!seen.equals(claimed) && isRounding(element, seen, claimed)) {
        statistics.merge("looks at a rounded score", 1, Integer::sum);
        continue;
      }
      if (!seen.equals(claimed) && !isExcused(region, element, claimed)) {
        throw violation(
            "B': region "
                + region.id
                + " shows "
                + element
                + " as "
                + seen
                + ", its context claims "
                + claimed
                + " with "
                + region.witness.claim(element));
      }
    }
  }

  /**
   * A deadline is there only while its key is, which is up to elements that have claims of their
   * own.
   */
  private static boolean dependsOnOthers(SimRegion region, Element element, MergedKeys oracle) {
    return element.kind() == ElementKind.DEADLINE
        && isThere(oracle) != (region.redis.kind(element.key()) != null);
  }

  private static boolean isThere(MergedKeys oracle) {
    return oracle.touched().stream()
        .anyMatch(
            element ->
                element.kind() != ElementKind.DEADLINE && !oracle.content(element).isAbsent());
  }

  /**
   * Redis adds to the rounded score that it holds, the merge to the exact sum: rounded in the end,
   * the two may be neighbouring doubles until the merged one is written. Every increment of the
   * workload is larger by far.
   */
  private static boolean isRounding(Element element, Content seen, Content claimed) {
    if (element.kind() != ElementKind.ZSET_MEMBER || seen.isAbsent() || claimed.isAbsent()) {
      return false;
    }
    double one = Content.parseScore(Objects.requireNonNull(seen.value()).text());
    double other = Content.parseScore(Objects.requireNonNull(claimed.value()).text());
    return Math.nextUp(one) == other || Math.nextDown(one) == other;
  }

  /**
   * An expiry elsewhere is claimed a moment before this Redis's own clock gets there, or a deadline
   * was clamped (P5).
   */
  private boolean isExcused(SimRegion region, Element element, Content claimed) {
    VersionVector claim = region.witness.claim(element);
    for (SimRegion other : regions.values()) {
      for (ChangeEvent event : other.witness.happened()) {
        boolean included = other == region || claim.covers(event.dot());
        if (included
            && element.key().equals(event.key())
            && event.change() instanceof Change.KeyExpire) {
          return true;
        }
      }
    }
    return element.kind() == ElementKind.DEADLINE
        && claimed.value() != null
        && Long.parseLong(claimed.value().text()) <= now + 31;
  }

  /**
   * Which deadline is visible follows from which string is, even of one that has an exception and
   * is hidden behind another type: for deadlines all that was merged here counts.
   */
  private boolean isAmidTypeConflict(
      SimRegion region, Element element, MergedKeys oracle, Map<VersionVector, MergedKeys> known) {
    return hasHadSeveralTypes(oracle)
        || (element.kind() == ElementKind.DEADLINE
            && hasHadSeveralTypes(oracle(region, element.key(), region.witness.context(), known)));
  }

  private static boolean hasHadSeveralTypes(MergedKeys oracle) {
    return oracle.touched().stream()
            .map(Element::kind)
            .filter(kind -> kind != ElementKind.DEADLINE)
            .distinct()
            .count()
        > 1;
  }

  private MergedKeys oracle(
      SimRegion region, RedisKey key, VersionVector claim, Map<VersionVector, MergedKeys> known) {
    MergedKeys oracle = known.get(claim);
    if (oracle == null) {
      oracle = new MergedKeys();
      for (SimRegion other : regions.values()) {
        for (ChangeEvent event : other.witness.happened()) {
          boolean included = other == region || claim.covers(event.dot());
          if (included && key.equals(event.key())) {
            oracle.merge(event);
          }
        }
      }
      known.put(claim, oracle);
    }
    return oracle;
  }

  // --- the end
  // -----------------------------------------------------------------------------------------------------------------------

  /** Heals everything and lets all that is under way arrive. */
  private void drain() {
    cuts.clear();
    skew.replaceAll((id, old) -> 0L);
    settle();
  }

  private void settle() {
    int quietRounds = 0;
    for (int round = 0; round < DRAIN_STEPS_MAX; round++) {
      now += 3;
      if (options.realCapture()) {
        beacons();
        regions.values().forEach(this::captureAll);
      }
      boolean quiet = true;
      for (SimRegion region : regions.values()) {
        for (RedisKey key : region.redis.keyNames()) {
          region.redis.expireIfDue(key);
        }
        quiet &= region.isQuiet();
        drain(region, round);
      }
      quietRounds = quiet ? quietRounds + 1 : 0;
      if (quietRounds > QUIET_ROUNDS) {
        return;
      }
    }
    StringBuilder stuck = new StringBuilder("not quiet after " + DRAIN_STEPS_MAX + " rounds:");
    for (SimRegion region : regions.values()) {
      stuck.append("\n  region ").append(region.id).append(" ").append(region.describe());
    }
    throw violation(stuck.toString());
  }

  private void drain(SimRegion region, int round) {
    if (!region.wire.isConnected()) {
      region.connect();
    }
    if (round % 10 == 0) {
      region.capture.beat();
    }
    captureAll(region);
    for (SimRegion other : regions.values()) {
      bridge(other, region);
      if (region.hasUnread(other.id)) {
        region.feed(other.id);
      }
    }
    if (region.wire.hasCalls()) {
      region.execute(false);
    }
    if (region.wire.hasReplies()) {
      region.reply();
    }
    region.orphanedCall(random);
    region.tick();
  }

  private void captureAll(SimRegion region) {
    while (!region.capture.isIdle()) {
      region.capture.step(random);
    }
  }

  private void compare() {
    MergedKeys all = new MergedKeys();
    for (SimRegion region : regions.values()) {
      for (ChangeEvent event : region.witness.happened()) {
        if (!(event.change() instanceof Change.Publish)) {
          all.merge(event);
        }
      }
    }
    Map<Element, Content> wanted = new TreeMap<>();
    for (Element element : all.touched()) {
      Content content = all.content(element);
      if (!content.isAbsent()) {
        wanted.put(element, content);
      }
    }
    for (SimRegion region : regions.values()) {
      Map<Element, Content> held = region.redis.everything();
      if (!held.equals(wanted)) {
        throw violation("E: region " + region.id + " differs: " + difference(region, held, wanted));
      }
      for (RedisKey key : region.redis.keyNames()) {
        List<Bytes> names = region.redis.list(key).names();
        check(
            names.equals(names.stream().sorted().toList()),
            "E: region " + region.id + " has the list " + key + " in another order");
      }
      check(region.redis.marker != null, "region " + region.id + " has no marker");
      check(
          region.redis.marker == null || region.redis.marker.exceptions().isEmpty(),
          "region " + region.id + " still has exceptions " + region.redis.marker);
      compareMessages(region);
      region.commit(); // which names what is tracked
      for (char letter : new char[] {'T', 'H', 'G', 'S', 'F', 'D', 'I', 'P'}) {
        check(
            region.rows().count(letter) == 0,
            "region " + region.id + " keeps " + region.rows().count(letter) + " rows " + letter);
      }
    }
  }

  /** Of each other region, what its log says was published, in order, and nothing twice. */
  private void compareMessages(SimRegion region) {
    Set<String> published = new TreeSet<>();
    for (SimRegion other : regions.values()) {
      List<String> sent = new ArrayList<>();
      for (ChangeEvent event : other.witness.happened()) {
        if (event.change() instanceof Change.Publish publish) {
          sent.add(event.key() + " " + publish.message());
        }
      }
      published.addAll(sent);
      List<String> heard =
          region.redis.heard.stream().filter(message -> sent.contains(message)).toList();
      statistics.merge("messages heard", heard.size(), Integer::sum);
      check(
          heard.equals(other == region ? List.of() : sent),
          "region " + region.id + " heard " + heard + " of " + other.id + ", which sent " + sent);
    }
    check(
        published.containsAll(region.redis.heard),
        "region " + region.id + " heard what is in no log: " + region.redis.heard);
  }

  private void check(boolean holds, String message) {
    if (!holds) {
      throw violation(message);
    }
  }

  private static List<String> difference(
      SimRegion region, Map<Element, Content> held, Map<Element, Content> wanted) {
    List<String> differences = new ArrayList<>();
    Set<Element> elements = new TreeSet<>(held.keySet());
    elements.addAll(wanted.keySet());
    for (Element element : elements) {
      Content a = held.getOrDefault(element, Content.ABSENT);
      Content b = wanted.getOrDefault(element, Content.ABSENT);
      if (!a.equals(b)) {
        differences.add(
            element
                + " holds "
                + a
                + ", merged "
                + b
                + ", here "
                + region.merger.mergedContent(element));
      }
    }
    return differences;
  }
}
