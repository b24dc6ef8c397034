package io.crosstide.protocol;

import io.crosstide.crdt.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * One guarded step in an effect batch. Its number is its batch's first number plus its place in the
 * batch.
 *
 * <p>{@code knows} is the number of the miss the effect was planned with, {@link Fx#NONE} if none:
 * an effect on an element whose exception is newer misses, whatever its guard says (P9).
 */
public sealed interface Effect {
  /** The element concerned, or null for {@link Noop} and {@link Publish}. */
  @Nullable Element element();

  /**
   * Writes {@code desired} (absent: removes the element) if the element holds {@code expected}.
   *
   * @param place where to find an element of a list; null for others, and where nobody will search
   */
  record Put(
      Element element, Content expected, Content desired, Fx knows, @Nullable ListPlace place)
      implements Effect {
    public Put(Element element, Content expected, Content desired, Fx knows) {
      this(element, expected, desired, knows, null);
    }
  }

  /**
   * Writes nothing; misses unless the element holds {@code expected}. Lets the context claim an
   * event that changed nothing. That an element of a list is absent cannot be seen in Redis, and
   * clients cannot bring it back: such a check passes.
   *
   * @param place as in {@link Put}
   */
  record Check(Element element, Content expected, Fx knows, @Nullable ListPlace place)
      implements Effect {
    public Check(Element element, Content expected, Fx knows) {
      this(element, expected, knows, null);
    }
  }

  /**
   * Adds to an integer (string, hash field, integral score); an absent element counts as 0. Misses
   * if the element is not an integer or the sum overflows. It commutes with local increments in
   * flight, and is therefore sent for increments, and in place of a {@link Put} that missed several
   * times under constant local increments.
   */
  record Add(Element element, long delta, Fx knows) implements Effect {}

  /** Asks for the element's content and exception. */
  record Probe(Element element) implements Effect {}

  /**
   * Delivers a message to who listens to {@code channel}. It has no guard: it stands in the group
   * that claims its event, and is executed with it or not at all.
   */
  record Publish(Bytes channel, Bytes message, boolean sharded) implements Effect {
    @Override
    public @Nullable Element element() {
      return null;
    }
  }

  /** Takes a number so that a batch that only moves the context has one (P20). */
  record Noop() implements Effect {
    @Override
    public @Nullable Element element() {
      return null;
    }
  }
}
