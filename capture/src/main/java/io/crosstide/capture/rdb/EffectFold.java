package io.crosstide.capture.rdb;

import io.crosstide.capture.rdb.Outcomes.Place;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.SentBatch;
import io.crosstide.protocol.merge.EffectSemantics;
import io.crosstide.protocol.merge.EffectSemantics.EarlierInBatch;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.util.HashMap;
import java.util.Map;

/**
 * Carries one partition's shadow and marker over batches that Redis applied unseen, by the rule by
 * which Redis applied them ({@link EffectSemantics}, P9).
 *
 * <p>Local writes among the effects are not known here, so a guard may hold in the shadow that did
 * not hold in Redis, or the other way round. The marker that is found afterwards tells of most of
 * them ({@link Outcomes}). What still differs are local writes.
 */
final class EffectFold {
  /** Told of what must have happened in Redis although nobody saw it. */
  interface Evidence {
    /**
     * An effect in the batch being folded found {@code key} without what the shadow holds of it:
     * local writes before the batch had emptied the key. The shadow follows at once.
     */
    void emptied(ShadowKey key);
  }

  private final Shadow shadow;
  private final Outcomes outcomes;
  private final Map<String, Missed> exceptions;
  private int epoch;
  private Fx fx;
  private Fx preceding;
  private VersionVector context;
  private long effects;
  private long misses;

  /**
   * @param from the marker at the shadow's place
   * @param outcomes what the marker after the last batch tells
   */
  EffectFold(Shadow shadow, MarkerState from, Outcomes outcomes) {
    this.shadow = shadow;
    this.outcomes = outcomes;
    this.exceptions = new HashMap<>(from.exceptions());
    this.epoch = from.epoch();
    this.fx = from.fx();
    this.preceding = from.preceding();
    this.context = from.context();
  }

  /** The marker as Redis had it after the last batch applied here. */
  MarkerState marker() {
    return new MarkerState(epoch, fx, preceding, context, exceptions);
  }

  /** Effects folded, probes and no-ops included. */
  long effects() {
    return effects;
  }

  /** How many of them missed. */
  long missed() {
    return misses;
  }

  /** Elements that have an exception either here or in the marker found, but not in both. */
  long differing() {
    Map<String, Missed> found = outcomes.exceptions();
    long common = exceptions.keySet().stream().filter(found::containsKey).count();
    return exceptions.size() + found.size() - 2 * common;
  }

  void apply(SentBatch batch, Evidence evidence) {
    if (batch.epoch() > epoch) {
      preceding = marker().lastEffect();
      epoch = batch.epoch();
    }
    EarlierInBatch earlier = new EarlierInBatch();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (int at = 0; at < group.effects().size(); at++) {
        Place place = new Place(new Fx(epoch, number++), context, group, at);
        apply(place, earlier, evidence);
        effects++;
      }
      context = group.contextAfter();
    }
    fx = new Fx(epoch, batch.last());
  }

  private void apply(Place place, EarlierInBatch earlier, Evidence evidence) {
    Effect effect = place.effect();
    Fx number = place.number();
    Element element = effect.element();
    if (element == null || effect instanceof Effect.Probe) {
      return;
    }
    RedisKey name = element.key();
    ShadowKey key = shadow.key(name.db(), name.name());
    String known =
        exceptions.isEmpty() && outcomes.exceptions().isEmpty() ? null : element.digest();
    Missed exception = known == null ? null : exceptions.get(known);
    ElementState after =
        EffectSemantics.apply(
            new ElementState(
                ShadowFold.content(key, element), exception == null ? Fx.NONE : exception.fx()),
            effect,
            number);
    boolean missesHere =
        after.exception().equals(number)
            || earlier.rulesOut(effect)
            || isRefused(key, element, effect);
    String digest = missesHere && known == null ? element.digest() : known;
    boolean missedThere = digest != null && outcomes.missed(digest, place);
    boolean passedThere =
        missesHere && digest != null && !missedThere && outcomes.passed(digest, place);
    boolean missed = !passedThere && (missesHere || missedThere);
    earlier.note(effect, missed);
    if (passedThere) {
      exceptions.remove(digest);
      writeAgainstGuard(key, element, effect, evidence);
    } else if (missed && digest != null) {
      misses++;
      exceptions.put(digest, new Missed(number, exception == null ? context : exception.context()));
    } else {
      if (exception != null) {
        exceptions.remove(digest);
      }
      write(key, element, effect, after.content());
    }
  }

  /** Whether Redis refuses to write this because of what the key is. */
  private static boolean isRefused(ShadowKey key, Element element, Effect effect) {
    if (!writesContent(effect)) {
      return false;
    }
    return element.kind() == ElementKind.DEADLINE
        ? !key.exists()
        : isOfAnotherType(key, element.kind());
  }

  private static boolean writesContent(Effect effect) {
    return effect instanceof Effect.Add
        || (effect instanceof Effect.Put put && !put.desired().isAbsent());
  }

  private static boolean isOfAnotherType(ShadowKey key, ElementKind kind) {
    return kind != ElementKind.DEADLINE && key.exists() && !key.is(ShadowFold.typeOf(kind));
  }

  private void write(ShadowKey key, Element element, Effect effect, Content content) {
    if (effect instanceof Effect.Put put) {
      if (!isOfAnotherType(key, element.kind())) {
        ShadowFold.put(key, element, put.desired());
      }
    } else if (effect instanceof Effect.Add) {
      ShadowFold.put(key, element, content);
    }
  }

  /**
   * The effect passed in Redis, where the element, or the whole key, was not what the shadow holds.
   * Of a check nothing is learnt that would not be found as a difference in any case.
   */
  private static void writeAgainstGuard(
      ShadowKey key, Element element, Effect effect, Evidence evidence) {
    if (writesContent(effect) && isOfAnotherType(key, element.kind())) {
      evidence.emptied(key);
      key.delete();
    }
    if (effect instanceof Effect.Put put) {
      if (!isOfAnotherType(key, element.kind())) {
        ShadowFold.put(key, element, put.desired());
      }
    } else if (effect instanceof Effect.Add add) {
      Content sum = EffectSemantics.add(element, ShadowFold.content(key, element), add.delta());
      if (sum != null) {
        ShadowFold.put(key, element, sum);
      }
    }
  }
}
