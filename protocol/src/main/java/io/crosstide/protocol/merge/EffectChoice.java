package io.crosstide.protocol.merge;

import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Which effect brings an element from what Redis is believed to hold to the merged value. */
final class EffectChoice {
  /**
   * After so many misses in a row a changed integer is sent as a difference, which local increments
   * cannot make miss.
   */
  private static final int MISSES_UNTIL_ADD = 3;

  private EffectChoice() {}

  /**
   * A put, or a sum where local increments under way must not make it miss (P9).
   *
   * @param event that is being merged; null for none
   * @param remote the event is another region's
   */
  static Effect of(
      Tracked tracked,
      ElementState believed,
      Content wanted,
      @Nullable ChangeEvent event,
      boolean remote) {
    Element element = tracked.element;
    Long difference = difference(element, believed.content(), wanted);
    if (difference != null) {
      boolean increment =
          remote
              && event != null
              && believed.exception().isNone()
              && difference.equals(integerDelta(event.change()));
      if (increment || isHopeless(tracked, believed)) {
        return new Effect.Add(element, difference, believed.exception());
      }
    }
    return new Effect.Put(element, believed.content(), wanted, believed.exception());
  }

  /**
   * Puts keep missing, and Redis still lacks the merged value: a put under way that may pass after
   * all needs no help, and a sum upon it would pass over a local write that it has not seen.
   */
  private static boolean isHopeless(Tracked tracked, ElementState believed) {
    return tracked.missesInRow >= MISSES_UNTIL_ADD && !believed.exception().isNone();
  }

  /**
   * {@code to - from} where both are integers and {@code to} exists, so that adding leads there.
   */
  private static @Nullable Long difference(Element element, Content from, Content to) {
    if (to.isAbsent()
        || element.kind() == ElementKind.SET_MEMBER
        || element.kind() == ElementKind.LIST_ELEMENT
        || element.kind() == ElementKind.STREAM
        || element.kind() == ElementKind.DEADLINE) {
      return null;
    }
    Long a = Numbers.strictInteger(element.kind(), from);
    Long b = Numbers.strictInteger(element.kind(), to);
    if (a == null || b == null) {
      return null;
    }
    long difference = b - a;
    boolean overflows = ((b ^ a) & (b ^ difference)) < 0;
    return overflows ? null : (Long) difference;
  }

  private static @Nullable Long integerDelta(Change change) {
    BigDecimal delta;
    if (change instanceof Change.StringAdd add) {
      delta = add.delta();
    } else if (change instanceof Change.HashAdd add) {
      delta = add.delta();
    } else if (change instanceof Change.ZsetAdd add
        && Double.isFinite(add.from())
        && Double.isFinite(add.to())) {
      delta = new BigDecimal(add.to()).subtract(new BigDecimal(add.from()));
    } else {
      return null;
    }
    try {
      return delta.longValueExact();
    } catch (ArithmeticException notIntegral) {
      return null;
    }
  }
}
