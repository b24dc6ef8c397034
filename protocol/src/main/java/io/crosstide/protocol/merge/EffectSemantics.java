package io.crosstide.protocol.merge;

import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an effect does to one element: the Java twin of the Lua function. Belief folds by exactly
 * this rule (P9), the simulated Redis executes it, and a differential test holds the Lua function
 * against it.
 */
public final class EffectSemantics {
  private EffectSemantics() {}

  /**
   * An element's content with its exception.
   *
   * @param exception number of the latest missed effect that none has repaired since, {@link
   *     Fx#NONE} if there is none
   */
  public record ElementState(Content content, Fx exception) {}

  /**
   * The state after {@code effect}, numbered {@code number}. The effect missed exactly if the
   * result's exception is {@code number}.
   */
  public static ElementState apply(ElementState before, Effect effect, Fx number) {
    if (effect instanceof Effect.Put put) {
      // A key that vanished took its deadline with it: there is nothing left to clear.
      boolean cleared =
          put.element().kind() == ElementKind.DEADLINE
              && put.desired().isAbsent()
              && before.content().isAbsent();
      boolean passes =
          before.exception().atMost(put.knows())
              && (cleared || holds(before, put.element(), put.expected()));
      return passes ? new ElementState(put.desired().compact(), Fx.NONE) : missed(before, number);
    }
    if (effect instanceof Effect.Check check) {
      boolean notToBeSeen =
          check.element().kind() == ElementKind.LIST_ELEMENT && check.expected().isAbsent();
      boolean passes =
          before.exception().atMost(check.knows())
              && (notToBeSeen || holds(before, check.element(), check.expected()));
      return passes ? new ElementState(before.content(), Fx.NONE) : missed(before, number);
    }
    if (effect instanceof Effect.Add add) {
      Content sum =
          before.exception().atMost(add.knows())
              ? add(add.element(), before.content(), add.delta())
              : null;
      return sum == null ? missed(before, number) : new ElementState(sum, Fx.NONE);
    }
    return before;
  }

  /** The number of the miss that {@code effect} was planned with. */
  public static Fx knows(Effect effect) {
    if (effect instanceof Effect.Put put) {
      return put.knows();
    } else if (effect instanceof Effect.Check check) {
      return check.knows();
    }
    return effect instanceof Effect.Add add ? add.knows() : Fx.NONE;
  }

  private static boolean holds(ElementState state, Element element, Content expected) {
    return StreamElements.isUnguarded(element) || state.content().equals(expected);
  }

  /**
   * What an effect must know of those before it in its batch: a string that is not the one expected
   * keeps its deadline, or its lack of one. Without this, a value just written locally without a
   * deadline would have a remote one's for a moment, and might expire in it; and while the string's
   * exception says that its deadline is what it was, it would be so no longer.
   */
  public static final class EarlierInBatch {
    private final Set<RedisKey> otherStrings = new HashSet<>();

    /** {@code effect} misses whatever it finds. */
    public boolean rulesOut(Effect effect) {
      return !otherStrings.isEmpty()
          && effect instanceof Effect.Put put
          && put.element().kind() == ElementKind.DEADLINE
          && otherStrings.contains(put.element().key());
    }

    /** {@code effect} has been carried out, and may have missed. */
    public void note(Effect effect, boolean missed) {
      Element element = effect.element();
      if (element == null || element.kind() != ElementKind.STRING) {
        return;
      }
      if (missed) {
        otherStrings.add(element.key());
      } else if (!otherStrings.isEmpty()) {
        otherStrings.remove(element.key()); // it was planned with that miss
      }
    }
  }

  private static ElementState missed(ElementState before, Fx number) {
    return new ElementState(before.content(), number);
  }

  /**
   * {@code content + delta} if both and the sum are integers that the element's kind holds exactly,
   * else null.
   */
  public static @Nullable Content add(Element element, Content content, long delta) {
    Long base = Numbers.strictInteger(element.kind(), content);
    if (base == null) {
      return null;
    }
    long sum;
    try {
      sum = Math.addExact(base, delta);
    } catch (ArithmeticException overflow) {
      return null;
    }
    if (element.kind() == ElementKind.ZSET_MEMBER
        && (Math.abs(sum) >= Numbers.EXACT_DOUBLE || Math.abs(delta) >= Numbers.EXACT_DOUBLE)) {
      return null;
    }
    return Content.utf8(Long.toString(sum));
  }
}
