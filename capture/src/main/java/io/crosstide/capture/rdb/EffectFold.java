package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Carries one partition's shadow and marker over batches that Redis applied unseen, by the rule by
 * which Redis applied them ({@link EffectSemantics}, P9).
 *
 * <p>Local writes among the effects are not known here, so a guard may hold in the shadow that did
 * not hold in Redis, or the other way round. The marker that is found afterwards tells: an element
 * with an exception has missed everything since the exception's context; one without has not missed
 * its last effect. What still differs are local writes.
 */
final class EffectFold {
  private final Shadow shadow;
  private final Map<String, Missed> found;
  private final boolean markerFound;
  private final Map<String, Missed> exceptions;

  /** The latest put that missed here, of elements with an exception. */
  private final Map<String, Effect.Put> missedPuts = new HashMap<>();

  private int epoch;
  private Fx fx;
  private Fx preceding;
  private VersionVector context;
  private long effects;
  private long missed;

  /**
   * @param from the marker at the shadow's place
   * @param found the marker after the last batch; null if there is none any more
   */
  EffectFold(Shadow shadow, MarkerState from, @Nullable MarkerState found) {
    this.shadow = shadow;
    this.markerFound = found != null;
    this.found = found == null ? Map.of() : found.exceptions();
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
    return missed;
  }

  void apply(SentBatch batch) {
    if (batch.epoch() > epoch) {
      preceding = marker().lastEffect();
      epoch = batch.epoch();
    }
    EarlierInBatch earlier = new EarlierInBatch();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (int at = 0; at < group.effects().size(); at++) {
        apply(group, at, new Fx(epoch, number++), earlier);
        effects++;
      }
      context = group.contextAfter();
    }
    fx = new Fx(epoch, batch.last());
  }

  private void apply(EffectBatch.Group group, int at, Fx number, EarlierInBatch earlier) {
    Effect effect = group.effects().get(at);
    Element element = effect.element();
    if (element == null || effect instanceof Effect.Probe) {
      return;
    }
    RedisKey name = element.key();
    ShadowKey key = shadow.key(name.db(), name.name());
    String digest = exceptions.isEmpty() && found.isEmpty() ? null : element.digest();
    Missed exception = digest == null ? null : exceptions.get(digest);
    ElementState after =
        EffectSemantics.apply(
            new ElementState(
                ShadowFold.content(key, element), exception == null ? Fx.NONE : exception.fx()),
            effect,
            number);
    boolean misses =
        after.exception().equals(number)
            || earlier.rulesOut(effect)
            || isRefused(key, element, effect)
            || (digest != null && isKnownToMiss(digest, number, group, at));
    if (misses) {
      missed++;
      earlier.missed(effect);
      String missing = digest == null ? element.digest() : digest;
      exceptions.put(
          missing, new Missed(number, exception == null ? context : exception.context()));
      remember(missing, effect);
    } else {
      if (exception != null) {
        exceptions.remove(digest);
        missedPuts.remove(digest);
      }
      write(key, element, effect, after.content());
    }
  }

  private void remember(String digest, Effect effect) {
    if (effect instanceof Effect.Put put) {
      missedPuts.put(digest, put);
    } else {
      missedPuts.remove(digest);
    }
  }

  /** Whether Redis refuses to write this because of what the key is. */
  private static boolean isRefused(ShadowKey key, Element element, Effect effect) {
    if (effect instanceof Effect.Check || (effect instanceof Effect.Put put && isRemoval(put))) {
      return false;
    }
    return element.kind() == ElementKind.DEADLINE
        ? !key.exists()
        : isOfAnotherType(key, element.kind());
  }

  private static boolean isRemoval(Effect.Put put) {
    return put.desired().isAbsent();
  }

  private static boolean isOfAnotherType(ShadowKey key, ElementKind kind) {
    return kind != ElementKind.DEADLINE && key.exists() && !key.is(ShadowFold.typeOf(kind));
  }

  /**
   * Whether the marker found afterwards says that effect {@code number} missed: it is the latest
   * miss, or none before the first, which its exception's context tells. Only of effects that the
   * context does not tell from those before the first the guard decides.
   */
  private boolean isKnownToMiss(String digest, Fx number, EffectBatch.Group group, int at) {
    Missed last = found.get(digest);
    if (last == null || last.fx().compareTo(number) < 0) {
      return false;
    }
    if (last.fx().equals(number)) {
      return true;
    }
    return context.equals(last.context())
        ? !group.contextAfter().equals(context) && isLastOnItsElement(group, at)
        : context.dominates(last.context());
  }

  /** Then the next effect on the element would miss with a higher context. */
  private static boolean isLastOnItsElement(EffectBatch.Group group, int at) {
    Element element = group.effects().get(at).element();
    for (Effect later : group.effects().subList(at + 1, group.effects().size())) {
      if (Objects.equals(later.element(), element)) {
        return false;
      }
    }
    return true;
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
   * A local event that followed all effects is about to be folded: what the marker found afterwards
   * disproves of its elements must be corrected before it, or the correction would undo the event.
   * So it is with a resync's own differences, met again after a crash amid it.
   */
  void beforeLocal(ChangeEvent event) {
    Element changed = event.element();
    missedPuts
        .entrySet()
        .removeIf(
            missed -> {
              Element element = missed.getValue().element();
              boolean concerned =
                  changed == null ? element.key().equals(event.key()) : element.equals(changed);
              if (!concerned) {
                return false;
              }
              if (markerFound && !found.containsKey(missed.getKey())) {
                exceptions.remove(missed.getKey());
                correct(missed.getValue());
              }
              return true;
            });
  }

  private void correct(Effect.Put put) {
    RedisKey name = put.element().key();
    ShadowKey key = shadow.key(name.db(), name.name());
    if (!isOfAnotherType(key, put.element().kind())) {
      ShadowFold.put(key, put.element(), put.desired());
    }
  }

  /**
   * Corrects what the marker that was found disproves: an element without an exception has not
   * missed the last effect on it.
   *
   * @return how many elements have an exception either here or there, but not both
   */
  long agree() {
    long differing = 0;
    for (String digest : found.keySet()) {
      if (!exceptions.containsKey(digest)) {
        differing++;
      }
    }
    for (String digest : exceptions.keySet()) {
      if (found.containsKey(digest)) {
        continue;
      }
      differing++;
      Effect.Put put = missedPuts.get(digest);
      if (markerFound && put != null) {
        correct(put);
      }
    }
    return differing;
  }
}
