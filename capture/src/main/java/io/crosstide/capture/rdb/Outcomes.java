package io.crosstide.capture.rdb;

import io.crosstide.capture.rdb.SentEffects.Applied;
import io.crosstide.capture.rdb.SentEffects.Batches;
import io.crosstide.capture.rdb.SentEffects.Sent;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.MarkerState.Missed;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a marker tells of the effects before it: which must have missed, and which must have passed
 * (P9). Of the rest only the guards tell.
 *
 * <p>An exception says that its element has missed everything since the exception's context. Where
 * there is none, or of what came before it: an effect that had missed would have left an exception,
 * and only an effect whose owner knew of that miss could have ended it. So where nobody knew of it,
 * there was no miss.
 *
 * <p>To learn what owners knew it reads all batches once, when first asked; most resyncs never ask.
 */
final class Outcomes {
  /** If owners knew of misses of more elements than this, any may have been known. */
  private static final int ELEMENTS_MAX = 100_000;

  private final boolean markerFound;
  private final Map<String, Missed> exceptions;
  private final VersionVector from;
  private final @Nullable Applied batches;

  /** By {@link Element#digest()} the latest miss that was known; null until it is needed. */
  private @Nullable Map<String, Fx> known;

  private boolean tooMany;

  /**
   * @param found the marker after the last batch; null if there is none any more
   * @param from the context before the first batch
   * @param batches all there were between; null if there were none
   */
  Outcomes(@Nullable MarkerState found, VersionVector from, @Nullable Applied batches) {
    this.markerFound = found != null;
    this.exceptions = found == null ? Map.of() : found.exceptions();
    this.from = from;
    this.batches = batches;
  }

  /** Elements that have an exception. */
  Map<String, Missed> exceptions() {
    return exceptions;
  }

  /**
   * One effect in its place.
   *
   * @param context what Redis held before its group
   * @param at its index in the group
   */
  record Place(Fx number, VersionVector context, EffectBatch.Group group, int at) {
    Effect effect() {
      return group.effects().get(at);
    }

    /** Then the next effect on the element would miss with a higher context. */
    boolean isLastOnItsElement() {
      Element element = effect().element();
      for (Effect later : group.effects().subList(at + 1, group.effects().size())) {
        if (Objects.equals(later.element(), element)) {
          return false;
        }
      }
      return true;
    }
  }

  /**
   * Whether the effect missed: it is the latest miss, or none before the first, which its
   * exception's context tells. Of effects that the context does not tell from those before the
   * first, this is not said.
   *
   * @param digest the element's
   */
  boolean missed(String digest, Place place) {
    Missed last = exceptions.get(digest);
    if (last == null || last.fx().compareTo(place.number()) < 0) {
      return false;
    }
    if (last.fx().equals(place.number())) {
      return true;
    }
    VersionVector context = place.context();
    return context.equals(last.context())
        ? !place.group().contextAfter().equals(context) && place.isLastOnItsElement()
        : context.dominates(last.context());
  }

  /**
   * Whether the effect, of which {@link #missed} is not said, passed.
   *
   * @param digest the element's
   */
  boolean passed(String digest, Place place) {
    if (!markerFound) {
      return false;
    }
    Missed last = exceptions.get(digest);
    return (last == null || !place.context().dominates(last.context()))
        && !mayHaveBeenKnown(digest, place.number());
  }

  /** Whether what may have passed was sent in the knowledge that {@code number} had missed. */
  private boolean mayHaveBeenKnown(String digest, Fx number) {
    Map<String, Fx> latest = known;
    if (latest == null) {
      latest = read();
      known = latest;
    }
    return tooMany || latest.getOrDefault(digest, Fx.NONE).compareTo(number) >= 0;
  }

  private Map<String, Fx> read() {
    Map<String, Fx> latest = new HashMap<>();
    Applied all = batches;
    if (all == null) {
      return latest;
    }
    VersionVector context = from;
    try (Batches reader = all.open()) {
      for (Sent sent = reader.next(); sent != null && !tooMany; sent = reader.next()) {
        long number = sent.batch().first();
        for (EffectBatch.Group group : sent.batch().groups()) {
          for (int at = 0; at < group.effects().size(); at++) {
            note(new Place(new Fx(sent.batch().epoch(), number++), context, group, at), latest);
          }
          context = group.contextAfter();
        }
        tooMany = latest.size() > ELEMENTS_MAX;
      }
    }
    return tooMany ? Map.of() : latest;
  }

  private void note(Place place, Map<String, Fx> latest) {
    Element element = place.effect().element();
    Fx knows = knows(place.effect());
    if (element != null && !knows.isNone()) {
      String digest = element.digest();
      if (!missed(digest, place)) {
        latest.merge(digest, knows, Fx::max);
      }
    }
  }

  private static Fx knows(Effect effect) {
    if (effect instanceof Effect.Put put) {
      return put.knows();
    } else if (effect instanceof Effect.Check check) {
      return check.knows();
    } else if (effect instanceof Effect.Add add) {
      return add.knows();
    }
    return Fx.NONE;
  }
}
