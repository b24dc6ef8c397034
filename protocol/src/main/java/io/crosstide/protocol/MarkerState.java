package io.crosstide.protocol;

import io.crosstide.crdt.VersionVector;
import java.util.Map;

/**
 * The marker of one partition, kept in Redis under {@link #key}: what this Redis holds of the
 * merged logs. Written first in every batch, so that the replication stream tells capture what each
 * later local write had seen.
 *
 * <p>In Redis it is a hash: {@code e} epoch, {@code f} number of the last effect ({@link
 * Fx#toString}), {@code c} context ({@link VersionVector#encode}), {@code k} count of exceptions,
 * {@code p} number of the last effect batch that held a probe, {@code b} the effect before the
 * epoch's first ({@link #preceding}), {@code h} highest stamp of what the owner had merged
 * (packed), and one field {@code x:<element digest>} for each exception with the value {@code <fx>
 * <context>}. A field {@code t} is no part of it: the token that an owner left where it found no
 * marker ({@link EffectWire#takeOver}).
 *
 * @param epoch of the owner that may write effects
 * @param fx number of the last effect applied; {@code (epoch, 0)} after the epoch was raised, so
 *     that it names the highest epoch ever used
 * @param preceding number of the last effect applied in earlier epochs, {@link Fx#NONE} if there is
 *     none: it tells which of the effects sent by fenced owners were applied (P7)
 * @param context per remote origin, the last seq whose effects are in this Redis, exceptions aside
 * @param exceptions by {@link Element#digest()}: elements for which the context claims too much
 *     (P9)
 */
public record MarkerState(
    int epoch, Fx fx, Fx preceding, VersionVector context, Map<String, Missed> exceptions) {

  /**
   * @param fx number of the latest effect missed on the element
   * @param context what the element does hold: the context before the first missed event
   */
  public record Missed(Fx fx, VersionVector context) {
    /** The value of the marker's {@code x:} field. */
    public String encode() {
      return fx + " " + context.encode();
    }

    public static Missed decode(String text) {
      int space = text.indexOf(' ');
      if (space < 0) {
        throw new IllegalArgumentException(
            "'" + text + "' is not a marker exception: expected 'epoch:number context'");
      }
      return new Missed(
          Fx.parse(text.substring(0, space)), VersionVector.decode(text.substring(space + 1)));
    }
  }

  public MarkerState {
    exceptions = Map.copyOf(exceptions);
  }

  /** A marker of which no earlier epoch is known. */
  public MarkerState(int epoch, Fx fx, VersionVector context, Map<String, Missed> exceptions) {
    this(epoch, fx, Fx.NONE, context, exceptions);
  }

  /** A marker of a Redis that has received nothing yet. */
  public static MarkerState initial(int epoch) {
    return new MarkerState(epoch, Fx.NONE, VersionVector.EMPTY, Map.of());
  }

  /** The marker after the owner of {@code higher}, an epoch above this one's, has taken over. */
  public MarkerState raisedTo(int higher) {
    return new MarkerState(higher, new Fx(higher, 0), lastEffect(), context, exceptions);
  }

  /** The marker after a batch of its epoch. */
  public MarkerState moved(
      Fx last, VersionVector contextAfter, Map<String, Missed> exceptionsAfter) {
    return new MarkerState(epoch, last, preceding, contextAfter, exceptionsAfter);
  }

  /**
   * What this Redis holds of {@code element}: less than the context says if the element has an
   * exception.
   */
  public VersionVector contextOf(Element element) {
    return contextOf(element, context, exceptions);
  }

  /**
   * As {@link #contextOf(Element)}. A string that is not what the context says casts doubt on its
   * deadline as well: which deadline is visible follows from which write of the string is.
   */
  public static VersionVector contextOf(
      Element element, VersionVector context, Map<String, Missed> exceptions) {
    if (exceptions.isEmpty()) {
      return context;
    }
    Missed missed = exceptions.get(element.digest());
    VersionVector held = missed == null ? context : missed.context();
    if (element.kind() == ElementKind.DEADLINE) {
      Missed ofString = exceptions.get(Element.string(element.key()).digest());
      held = ofString == null ? held : held.meet(ofString.context());
    }
    return held;
  }

  /** Number of the last effect applied, in this epoch or an earlier one. */
  public Fx lastEffect() {
    return fx.number() > 0 ? fx : preceding;
  }

  /** The marker's key in database 0. */
  public static String key(int partition) {
    return RedisKey.RESERVED_PREFIX + "{" + partition + "}";
  }
}
