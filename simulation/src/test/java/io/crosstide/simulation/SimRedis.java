package io.crosstide.simulation;

import io.crosstide.capture.beacon.BeaconWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import io.crosstide.protocol.merge.RedisList;
import io.crosstide.simulation.ReplicationStream.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One region's Redis: typed keys with deadlines, one partition's marker, and a replication stream.
 */
final class SimRedis {
  /** What one atomic step put into the stream. */
  sealed interface Item {}

  /** Changes by clients, or an expiry: {@code changes} belong to one transaction. */
  record Changes(long millis, List<KeyChange> changes) implements Item {}

  /**
   * What one command does to one element or key.
   *
   * @param createsKey there was no such key
   * @param at of an element put into a list, its index; else -1
   * @param words of the command, where they do not follow from the change; none if another change
   *     of the same command has them
   */
  record KeyChange(
      RedisKey key, Change change, boolean createsKey, int at, @Nullable List<Object> words) {
    KeyChange(RedisKey key, Change change) {
      this(key, change, false);
    }

    KeyChange(RedisKey key, Change change, boolean createsKey) {
      this(key, change, createsKey, -1, null);
    }

    KeyChange(RedisKey key, Change change, int at, @Nullable List<Object> words) {
      this(key, change, false, at, words);
    }

    KeyChange creating(boolean createsItsKey) {
      return new KeyChange(key, change, createsItsKey, at, words);
    }
  }

  /**
   * A batch passed: the marker as it left it.
   *
   * @param news of lists, what capture has to say
   */
  record Marker(MarkerState marker, boolean heldProbe, List<Change.ListHolds> news)
      implements Item {}

  /**
   * @param token what an owner left in its place; empty if a client took it
   */
  record MarkerGone(String token) implements Item {}

  /** Told of what enters the stream, when it does: the oracle. */
  interface StreamListener {
    void entered(Item item);

    /**
     * An effect has passed its guard.
     *
     * @param written what the element holds now
     */
    void effectPassed(Element element, Effect effect, Fx number, Content written);

    /** An effect on an element of a list was carried out on {@code met} instead. */
    void anotherMet(Element meant, Element met);

    /** An effect has emptied {@code key}, which had a deadline. */
    void deadlineWentAlong(RedisKey key, Fx number);

    /** A put has missed an element that held what it would have written. */
    void effectForestalled(Effect.Put put, Fx number);
  }

  private final SimKeyspace keys = new SimKeyspace();
  final ReplicationStream replication = new ReplicationStream();
  Plant plant = Plant.NONE;
  private final LongSupplier clock;
  private Origin writer = Origin.of(1);
  private LongSupplier lastSeq = () -> 0;
  private final StreamListener listener;
  final List<Item> stream = new ArrayList<>();
  @Nullable MarkerState marker;

  /** What an owner that found no marker has left in its place. */
  @Nullable String token;

  /** The marker's highest stamp of what was merged, packed. */
  long highestStamp;

  /** The beacon's wall clock; 0 if there is none. */
  long beaconMillis;

  /** What effects published, as "channel message". */
  final List<String> heard = new ArrayList<>();

  SimRedis(LongSupplier clock, StreamListener listener) {
    this.clock = clock;
    this.listener = listener;
  }

  /** Lists' elements are named by the seqs that {@code origin}'s writes get. */
  void writesAs(Origin origin, LongSupplier lastSeq) {
    writer = origin;
    this.lastSeq = lastSeq;
  }

  /** The seq of the next local change. */
  long nextSeq() {
    return lastSeq.getAsLong() + 1;
  }

  Origin writer() {
    return writer;
  }

  /** What the key holds as a list; an empty one if it is none. */
  RedisList list(RedisKey key) {
    SimKeyspace.Value value = keys.value(key);
    return value != null && !isExpired(value) && value.kind == ElementKind.LIST_ELEMENT
        ? value.list
        : new RedisList();
  }

  private void enter(Item item, List<Command> commands) {
    stream.add(item);
    replication.propagate(commands);
    listener.entered(item);
  }

  // --- what is there
  // -----------------------------------------------------------------------------------------------------------------

  SimKeyspace keyspace() {
    return keys;
  }

  /** The content a client would see now, expired keys being gone. */
  Content look(Element element) {
    SimKeyspace.Value value = keys.value(element.key());
    return value == null || isExpired(value) ? Content.ABSENT : keys.content(element);
  }

  @Nullable ElementKind kind(RedisKey key) {
    SimKeyspace.Value value = keys.value(key);
    return value == null || isExpired(value) ? null : value.kind;
  }

  SimKeyspace.@Nullable Value value(RedisKey key) {
    return keys.value(key);
  }

  List<RedisKey> keyNames() {
    return keys.names();
  }

  /** Every element now visible. */
  Map<Element, Content> everything() {
    Map<Element, Content> all = new TreeMap<>();
    for (RedisKey key : keys.names()) {
      if (!isExpired(Objects.requireNonNull(keys.value(key)))) {
        all.putAll(keys.contents(key));
      }
    }
    return all;
  }

  private boolean isExpired(SimKeyspace.Value value) {
    return value.deadline != 0 && value.deadline <= clock.getAsLong();
  }

  // --- clients
  // -----------------------------------------------------------------------------------------------------------------------

  /** Redis's own expiry of a key whose deadline has passed, on access or by its cycle. */
  void expireIfDue(RedisKey key) {
    KeyChange expiry = expiry(key);
    if (expiry != null) {
      change(List.of(expiry), List.of());
    }
  }

  private @Nullable KeyChange expiry(RedisKey key) {
    SimKeyspace.Value value = keys.value(key);
    if (value == null || !isExpired(value)) {
      return null;
    }
    keys.remove(key);
    return new KeyChange(key, new Change.KeyExpire(value.deadline));
  }

  /**
   * One command or transaction of a client; {@code changes} are applied and enter the stream
   * together.
   */
  void client(List<KeyChange> changes) {
    List<KeyChange> all = new ArrayList<>();
    for (KeyChange change : changes) {
      boolean createsKey =
          ChangeEvent.mayCreateKey(change.change()) && keys.value(change.key()) == null;
      boolean emptied = keys.apply(change);
      all.add(change.creating(createsKey));
      if (emptied) {
        all.add(new KeyChange(change.key(), new Change.DeadlineRemove()));
      }
    }
    if (!all.isEmpty()) {
      change(all, List.of());
    }
  }

  /** Local changes that belong together enter the stream, {@code further} commands after them. */
  private void change(List<KeyChange> changes, List<Command> further) {
    List<Command> commands = new ArrayList<>();
    for (KeyChange change : changes) {
      Command command = Resp.of(change);
      if (command != null) {
        commands.add(command);
      }
    }
    commands.addAll(further);
    enter(new Changes(clock.getAsLong(), changes), commands);
  }

  /** FLUSHALL: every key goes, and the marker with them. */
  void flush() {
    List<KeyChange> removals = new ArrayList<>();
    for (RedisKey key : keyNames()) {
      removals.add(new KeyChange(key, new Change.KeyDelete()));
      keys.remove(key);
    }
    beaconMillis = 0;
    List<Command> command = List.of(Resp.of(0, "FLUSHALL"));
    if (!removals.isEmpty()) {
      enter(new Changes(clock.getAsLong(), removals), command);
      command = List.of();
    }
    if (marker != null || token != null) {
      marker = null;
      token = null;
      enter(new MarkerGone(""), command);
    } else {
      replication.propagate(command);
    }
  }

  /** DEL of the marker by a client. */
  void takeMarker() {
    if (marker != null || token != null) {
      marker = null;
      token = null;
      enter(new MarkerGone(""), List.of(Resp.of(0, "DEL", Resp.MARKER)));
    }
  }

  /** What a file on disk holds. */
  record Saved(
      SimKeyspace keys, @Nullable MarkerState marker, @Nullable String token, long beaconMillis) {
    static final Saved NOTHING = new Saved(new SimKeyspace(), null, null, 0);
  }

  Saved save() {
    return new Saved(keys.copy(), marker, token, beaconMillis);
  }

  /** Killed and started again with {@code file}: whatever came after it is lost. */
  void restore(Saved file) {
    keys.become(file.keys());
    marker = file.marker();
    token = file.token();
    beaconMillis = file.beaconMillis();
    replication.restart();
  }

  /** Capture writes its wall clock. */
  void beacon(long millis) {
    beaconMillis = millis;
    replication.propagate(List.of(Resp.of(0, "SET", BeaconWriter.KEY, millis)));
  }

  // --- effects: the twin of the Lua function
  // -----------------------------------------------------------------------------------------

  BatchReply batch(EffectBatch batch) {
    MarkerState at = marker;
    if (at == null) {
      return BatchReply.of(BatchReply.Outcome.NO_MARKER);
    }
    if (at.epoch() != batch.epoch()) {
      return BatchReply.of(BatchReply.Outcome.OLD_EPOCH);
    }
    if (at.fx().number() >= batch.last() && plant != Plant.REAPPLIES) {
      return BatchReply.of(BatchReply.Outcome.ALREADY_APPLIED);
    }
    if (at.fx().number() != batch.first() - 1 && plant != Plant.REAPPLIES) {
      return BatchReply.of(BatchReply.Outcome.GAP);
    }
    List<Command> expired = touch(batch);
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>(at.exceptions());
    List<BatchReply.Miss> misses = new ArrayList<>();
    List<BatchReply.ProbeAnswer> answers = new ArrayList<>();
    List<Command> written = new ArrayList<>();
    Set<Element> news = new TreeSet<>();
    EffectSemantics.EarlierInBatch earlier = new EffectSemantics.EarlierInBatch();
    VersionVector context = at.context();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        if (effect.element() != null && effect.element().kind() == ElementKind.LIST_ELEMENT) {
          Fx fx = new Fx(batch.epoch(), number++);
          listEffect(effect.element(), effect, fx, context, exceptions, misses, answers, news);
          continue;
        }
        effect(
            effect,
            new Fx(batch.epoch(), number),
            context,
            exceptions,
            earlier,
            misses,
            answers,
            written);
        number++;
      }
      context = group.contextAfter();
    }
    MarkerState after = at.moved(new Fx(batch.epoch(), batch.last()), context, exceptions);
    marker = after;
    highestStamp = batch.stamp().packed();
    List<Command> commands = new ArrayList<>(expired);
    commands.add(Resp.batchMarker(at, after, batch));
    commands.addAll(written);
    commands.addAll(Resp.exceptions(at, after));
    enter(new Marker(after, batch.hasProbe(), news.stream().map(keys::holds).toList()), commands);
    return new BatchReply(BatchReply.Outcome.APPLIED, misses, answers);
  }

  /** P5: lazy expiries come before the marker, in the same transaction. */
  private List<Command> touch(EffectBatch batch) {
    List<KeyChange> expired = new ArrayList<>();
    List<Command> commands = new ArrayList<>();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        Element element = effect.element();
        KeyChange expiry = element == null ? null : expiry(element.key());
        if (expiry != null) {
          expired.add(expiry);
          commands.add(Objects.requireNonNull(Resp.of(expiry)));
        }
      }
    }
    if (!expired.isEmpty()) {
      enter(new Changes(clock.getAsLong(), expired), List.of());
    }
    return commands;
  }

  private void listEffect(
      Element element,
      Effect effect,
      Fx number,
      VersionVector context,
      Map<String, MarkerState.Missed> exceptions,
      List<BatchReply.Miss> misses,
      List<BatchReply.ProbeAnswer> answers,
      Set<Element> news) {
    String digest = element.digest();
    MarkerState.Missed exception = exceptions.get(digest);
    Fx exceptionFx = exception == null ? Fx.NONE : exception.fx();
    if (effect instanceof Effect.Probe) {
      answers.add(new BatchReply.ProbeAnswer(number.number(), Content.ABSENT, exceptionFx));
      news.add(element);
      return;
    }
    RedisList.Outcome outcome =
        exceptionFx.atMost(EffectSemantics.knows(effect))
            ? keys.applyToList(element, plant.inList(effect))
            : null;
    if (outcome == null) {
      misses.add(new BatchReply.Miss(number.number(), "guard"));
      exceptions.put(
          digest,
          new MarkerState.Missed(number, exception == null ? context : exception.context()));
      return;
    }
    exceptions.remove(digest);
    outcome.news().forEach(name -> news.add(new Element(element.key(), element.kind(), name)));
    Bytes changed = outcome.changed();
    if (changed != null) {
      Element met = new Element(element.key(), element.kind(), changed);
      listener.effectPassed(met, effect, number, keys.content(met));
      if (!met.equals(element)) {
        listener.anotherMet(element, met);
      }
    }
  }

  private void effect(
      Effect effect,
      Fx number,
      VersionVector context,
      Map<String, MarkerState.Missed> exceptions,
      EffectSemantics.EarlierInBatch earlier,
      List<BatchReply.Miss> misses,
      List<BatchReply.ProbeAnswer> answers,
      List<Command> written) {
    Element element = effect.element();
    if (effect instanceof Effect.Publish publish) {
      heard.add(publish.channel() + " " + publish.message());
      written.add(Resp.of(0, "PUBLISH", publish.channel(), publish.message()));
    }
    if (element == null) {
      return;
    }
    String digest = element.digest();
    MarkerState.Missed exception = exceptions.get(digest);
    Fx exceptionFx = exception == null ? Fx.NONE : exception.fx();
    Content actual = keys.content(element);
    if (effect instanceof Effect.Probe) {
      answers.add(new BatchReply.ProbeAnswer(number.number(), actual.compact(), exceptionFx));
      return;
    }
    ElementState after =
        EffectSemantics.apply(new ElementState(actual, exceptionFx), effect, number);
    boolean missed = after.exception().equals(number) || earlier.rulesOut(effect);
    if (plant == Plant.IGNORES_GUARDS && effect instanceof Effect.Put put) {
      after = new ElementState(put.desired(), Fx.NONE);
      missed = false;
    }
    Content full = effect instanceof Effect.Put put ? atLeastAMoment(put) : after.content();
    boolean writes = !(effect instanceof Effect.Check);
    boolean lost = plant == Plant.LOSES_EFFECTS && number.number() % 20 == 0;
    if (!missed && !lost && writes && keys.refuses(element, full)) {
      missed = true;
    }
    earlier.note(effect, missed);
    if (missed) {
      if (effect instanceof Effect.Put put && put.desired().equals(actual)) {
        listener.effectForestalled(put, number);
      }
      misses.add(new BatchReply.Miss(number.number(), "guard"));
      if (plant != Plant.CLAIMS_MISSES) {
        exceptions.put(
            digest,
            new MarkerState.Missed(number, exception == null ? context : exception.context()));
      }
      return;
    }
    exceptions.remove(digest);
    if (!lost && writes) {
      boolean hadDeadline = !keys.content(Element.deadline(element.key())).isAbsent();
      keys.write(element, full);
      if (hadDeadline && keys.value(element.key()) == null) {
        listener.deadlineWentAlong(element.key(), number);
      }
      Command command = Resp.of(effect, actual, full);
      if (command != null) {
        written.add(command);
      }
    }
    if (plant != Plant.IGNORES_GUARDS) {
      listener.effectPassed(element, effect, number, full);
    }
  }

  /** A deadline that is too near is put off a little. */
  private Content atLeastAMoment(Effect.Put put) {
    Bytes value = put.desired().value();
    if (put.element().kind() != ElementKind.DEADLINE || value == null) {
      return put.desired();
    }
    return Content.deadline(Math.max(clock.getAsLong() + 1, Long.parseLong(value.text())));
  }

  @Nullable MarkerState takeOver(int epoch, Fx least, String newToken) {
    MarkerState at = marker;
    if (at == null || at.fx().compareTo(least) < 0) {
      token = newToken;
      enter(new MarkerGone(newToken), List.of(Resp.of(0, "HSET", Resp.MARKER, "t", newToken)));
      return null;
    }
    raise(at, epoch);
    return at;
  }

  private MarkerState raise(MarkerState at, int epoch) {
    if (at.epoch() >= epoch) {
      return at;
    }
    MarkerState raised = at.raisedTo(epoch);
    marker = raised;
    enter(new Marker(raised, false, List.of()), List.of(Resp.raise(at, raised)));
    return raised;
  }

  @Nullable MarkerState install(MarkerState wanted, String itsToken) {
    MarkerState at = marker;
    if (itsToken.equals(token)) {
      token = null;
      marker = wanted;
      enter(new Marker(wanted, false, List.of()), Resp.install(at, wanted));
      return wanted;
    }
    return at == null || at.fx().compareTo(wanted.fx()) < 0 ? null : raise(at, wanted.epoch());
  }
}
