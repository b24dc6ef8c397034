package io.crosstide.simulation;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One region's Redis: typed keys with deadlines, one partition's marker, and a replication stream.
 */
final class SimRedis {
  /** A key as Redis holds it. */
  static final class Value {
    final ElementKind kind;
    final TreeMap<Bytes, Content> elements = new TreeMap<>();
    long deadline;

    Value(ElementKind kind) {
      this.kind = kind;
    }
  }

  /** What one atomic step put into the stream. */
  sealed interface Item {}

  /** Changes by clients, or an expiry: {@code changes} belong to one transaction. */
  record Changes(long millis, List<KeyChange> changes) implements Item {}

  record KeyChange(RedisKey key, Change change) {}

  /** A batch passed: the marker as it left it. */
  record Marker(MarkerState marker, boolean heldProbe) implements Item {}

  record MarkerGone() implements Item {}

  /** Told of what enters the stream, when it does: the oracle. */
  interface StreamListener {
    void entered(Item item);

    void effectPassed(Element element, Effect effect, Fx number);
  }

  /** A bug planted to see the checker fail. */
  enum Plant {
    NONE,
    /** Batches are applied however often they arrive. */
    REAPPLIES,
    /** A miss leaves no exception, so that the context claims it. */
    CLAIMS_MISSES,
    /** Guards always pass. */
    IGNORES_GUARDS,
    /** Now and then an effect is reported as passed and not written. */
    LOSES_EFFECTS
  }

  private final Map<RedisKey, Value> keys = new TreeMap<>();
  Plant plant = Plant.NONE;
  private final LongSupplier clock;
  private final StreamListener listener;
  final List<Item> stream = new ArrayList<>();
  @Nullable MarkerState marker;

  SimRedis(LongSupplier clock, StreamListener listener) {
    this.clock = clock;
    this.listener = listener;
  }

  private void enter(Item item) {
    stream.add(item);
    listener.entered(item);
  }

  // --- what is there
  // -----------------------------------------------------------------------------------------------------------------

  /** The content a client would see now, expired keys being gone. */
  Content look(Element element) {
    Value value = keys.get(element.key());
    if (value == null || isExpired(value)) {
      return Content.ABSENT;
    }
    return content(element);
  }

  private Content content(Element element) {
    Value value = keys.get(element.key());
    if (value == null) {
      return Content.ABSENT;
    }
    if (element.kind() == ElementKind.DEADLINE) {
      return value.deadline == 0 ? Content.ABSENT : Content.deadline(value.deadline);
    }
    return value.kind == element.kind()
        ? value.elements.getOrDefault(element.name(), Content.ABSENT)
        : Content.ABSENT;
  }

  @Nullable ElementKind kind(RedisKey key) {
    Value value = keys.get(key);
    return value == null || isExpired(value) ? null : value.kind;
  }

  @Nullable Value value(RedisKey key) {
    return keys.get(key);
  }

  List<RedisKey> keyNames() {
    return List.copyOf(keys.keySet());
  }

  /** Every element now visible. */
  Map<Element, Content> everything() {
    Map<Element, Content> all = new TreeMap<>();
    for (RedisKey key : keys.keySet()) {
      Value value = keys.get(key);
      if (value == null || isExpired(value)) {
        continue;
      }
      value.elements.forEach(
          (name, content) -> all.put(new Element(key, value.kind, name), content));
      if (value.deadline != 0) {
        all.put(Element.deadline(key), Content.deadline(value.deadline));
      }
    }
    return all;
  }

  private boolean isExpired(Value value) {
    return value.deadline != 0 && value.deadline <= clock.getAsLong();
  }

  // --- clients
  // -----------------------------------------------------------------------------------------------------------------------

  /** Redis's own expiry of a key whose deadline has passed, on access or by its cycle. */
  void expireIfDue(RedisKey key) {
    Value value = keys.get(key);
    if (value != null && isExpired(value)) {
      keys.remove(key);
      enter(
          new Changes(
              clock.getAsLong(),
              List.of(new KeyChange(key, new Change.KeyExpire(value.deadline)))));
    }
  }

  /**
   * One command or transaction of a client; {@code changes} are applied and enter the stream
   * together.
   */
  void client(List<KeyChange> changes) {
    List<KeyChange> all = new ArrayList<>();
    for (KeyChange change : changes) {
      boolean emptied = apply(change);
      all.add(change);
      if (emptied) {
        all.add(new KeyChange(change.key(), new Change.DeadlineRemove()));
      }
    }
    if (!all.isEmpty()) {
      enter(new Changes(clock.getAsLong(), all));
    }
  }

  /** FLUSHALL: every key goes, and the marker with them. */
  void flush() {
    List<KeyChange> removals = new ArrayList<>();
    for (RedisKey key : keyNames()) {
      expireIfDue(key);
      if (keys.containsKey(key)) {
        removals.add(new KeyChange(key, new Change.KeyDelete()));
      }
    }
    client(removals);
    takeMarker();
  }

  /** DEL of the marker by a client. */
  void takeMarker() {
    if (marker != null) {
      marker = null;
      enter(new MarkerGone());
    }
  }

  /** Applies a client's change; true if it emptied a key that had a deadline. */
  private boolean apply(KeyChange keyChange) {
    RedisKey key = keyChange.key();
    Change change = keyChange.change();
    if (change instanceof Change.StringSet set) {
      Value old = keys.get(key);
      Value value = new Value(ElementKind.STRING);
      value.elements.put(Bytes.EMPTY, Content.of(set.value()));
      value.deadline = set.keepsDeadline() && old != null ? old.deadline : set.deadlineMillis();
      keys.put(key, value);
    } else if (change instanceof Change.KeyDelete) {
      keys.remove(key);
    } else if (change instanceof Change.DeadlineSet set) {
      present(key).deadline = set.deadlineMillis();
    } else if (change instanceof Change.DeadlinePersist) {
      present(key).deadline = 0;
    } else if (change instanceof Change.OfElement of) {
      return applyElement(key, of);
    }
    return false;
  }

  private Value present(RedisKey key) {
    Value value = keys.get(key);
    if (value == null) {
      throw new IllegalStateException("no key " + key);
    }
    return value;
  }

  private boolean applyElement(RedisKey key, Change.OfElement change) {
    Value value = keys.computeIfAbsent(key, k -> new Value(change.kind()));
    Content before = value.elements.getOrDefault(change.name(), Content.ABSENT);
    Content after;
    if (change instanceof Change.HashPut put) {
      after = Content.of(put.value());
    } else if (change instanceof Change.SetAdd) {
      after = Content.PRESENT;
    } else if (change instanceof Change.ZsetPut put) {
      after = Content.score(put.score());
    } else if (change instanceof Change.ZsetAdd add) {
      after = Content.score(add.to());
    } else if (change instanceof Change.StringAdd add) {
      after = sum(key, change, before, add.delta().longValueExact());
    } else if (change instanceof Change.HashAdd add) {
      after = sum(key, change, before, add.delta().longValueExact());
    } else {
      after = Content.ABSENT;
    }
    return put(key, value, change.name(), after);
  }

  private static Content sum(RedisKey key, Change.OfElement change, Content before, long delta) {
    Content sum =
        EffectSemantics.add(new Element(key, change.kind(), change.name()), before, delta);
    if (sum == null) {
      throw new IllegalStateException(change + " on " + before);
    }
    return sum;
  }

  private boolean put(RedisKey key, Value value, Bytes name, Content content) {
    if (!content.isAbsent()) {
      value.elements.put(name, content);
      return false;
    }
    value.elements.remove(name);
    if (value.elements.isEmpty()) {
      keys.remove(key);
      return value.deadline != 0;
    }
    return false;
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
    touch(batch);
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>(at.exceptions());
    List<BatchReply.Miss> misses = new ArrayList<>();
    List<BatchReply.ProbeAnswer> answers = new ArrayList<>();
    VersionVector context = at.context();
    EffectSemantics.EarlierInBatch earlier = new EffectSemantics.EarlierInBatch();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        effect(
            effect, new Fx(batch.epoch(), number), context, exceptions, earlier, misses, answers);
        number++;
      }
      context = group.contextAfter();
    }
    MarkerState after = at.moved(new Fx(batch.epoch(), batch.last()), context, exceptions);
    marker = after;
    enter(new Marker(after, batch.hasProbe()));
    return new BatchReply(BatchReply.Outcome.APPLIED, misses, answers);
  }

  /** P5: lazy expiries enter the stream before the marker. */
  private void touch(EffectBatch batch) {
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        Element element = effect.element();
        if (element != null) {
          expireIfDue(element.key());
        }
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
      List<BatchReply.ProbeAnswer> answers) {
    Element element = effect.element();
    if (element == null) {
      return;
    }
    String digest = element.digest();
    MarkerState.Missed exception = exceptions.get(digest);
    Fx exceptionFx = exception == null ? Fx.NONE : exception.fx();
    Content actual = content(element);
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
    boolean lost = plant == Plant.LOSES_EFFECTS && number.number() % 20 == 0;
    if (!missed && !lost && !write(element, effect, after.content())) {
      missed = true;
    }
    if (missed) {
      earlier.missed(effect);
      misses.add(new BatchReply.Miss(number.number(), "guard"));
      if (plant != Plant.CLAIMS_MISSES) {
        exceptions.put(
            digest,
            new MarkerState.Missed(number, exception == null ? context : exception.context()));
      }
    } else {
      exceptions.remove(digest);
      if (plant != Plant.IGNORES_GUARDS) {
        listener.effectPassed(element, effect, number);
      }
    }
  }

  /** Writes what the effect leads to; false where Redis would refuse it for the key's type. */
  private boolean write(Element element, Effect effect, Content content) {
    if (effect instanceof Effect.Check) {
      return true;
    }
    Content full = effect instanceof Effect.Put put ? put.desired() : content;
    Value value = keys.get(element.key());
    if (element.kind() == ElementKind.DEADLINE) {
      if (value == null) {
        return full.isAbsent();
      }
      value.deadline =
          full.isAbsent()
              ? 0
              : Math.max(
                  clock.getAsLong() + 1,
                  Long.parseLong(Objects.requireNonNull(full.value()).text()));
      return true;
    }
    if (value != null && value.kind != element.kind()) {
      return full.isAbsent();
    }
    if (value == null) {
      if (full.isAbsent()) {
        return true;
      }
      value = new Value(element.kind());
      keys.put(element.key(), value);
    }
    put(element.key(), value, element.name(), full);
    return true;
  }

  @Nullable MarkerState takeOver(int epoch) {
    MarkerState at = marker;
    if (at != null && at.epoch() < epoch) {
      MarkerState raised = at.raisedTo(epoch);
      marker = raised;
      enter(new Marker(raised, false));
    }
    return at;
  }

  MarkerState install(MarkerState wanted) {
    MarkerState at = marker;
    if (at == null || at.fx().compareTo(wanted.fx()) < 0) {
      marker = wanted;
      enter(new Marker(wanted, false));
      return wanted;
    }
    takeOver(wanted.epoch());
    return Objects.requireNonNull(marker);
  }
}
