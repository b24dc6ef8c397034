package io.crosstide.protocol.merge;

import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An element whose content in Redis may differ from its merged value: what Redis held after the
 * last local event processed, and the effects sent since. Elements that are not tracked hold their
 * merged value.
 */
final class Tracked {
  /** An effect that the local log has not shown yet. */
  record Pending(Fx number, Effect effect) {}

  /**
   * A local change processed while the content was unknown.
   *
   * @param isBehindProbe it surely came after the probe; otherwise the answer may hold it already
   */
  record LocalChange(Fx fx, Change change, boolean isBehindProbe) {}

  /**
   * Sums of numbers below this are exact in every kind of element, and a million of them fit in 64
   * bits.
   */
  private static final long ADD_MAX = 1L << 40;

  final Element element;

  /** What Redis holds once the pending effects are left out. */
  ElementState state;

  /** The merged value as of the last event that touched the element. */
  Content wanted;

  /** Effects that the local log has not shown yet; changed by {@link #send} and its kin only. */
  final Deque<Pending> pending = new ArrayDeque<>(1);

  /** {@link #believed()} as long as {@link #state} is what it was reckoned from. */
  private @Nullable ElementState believed;

  private @Nullable ElementState believedFrom;

  // Of the pending effects: increments below ADD_MAX with their sum, and how many are anything
  // else.
  private long addsSum;
  private long addsMagnitude;
  private int others;

  /**
   * False while a probe is needed or under way; then {@code state} means nothing and no effects are
   * planned.
   */
  boolean known = true;

  /** Number of the probe under way, or null if none has been sent. */
  @Nullable Fx probe;

  BatchReply.@Nullable ProbeAnswer answer;
  final List<LocalChange> since = new ArrayList<>();

  /** The row that names it since a commit; null: none yet. */
  TrackedRows.@Nullable Row row;

  /** Effects missed since one passed. */
  int missesInRow;

  /** Probes answered since a local change or a passed effect. */
  int probesInRow;

  /**
   * Of a list's element that is not where its position sorts: its index from the head, as capture
   * last told it. Else -1.
   */
  int misplaced = -1;

  /** What capture has said of a list's element since it was asked for. */
  Change.@Nullable ListHolds heard;

  /** Probes in a row of which capture has said nothing. */
  int unheard;

  Tracked(Element element, Content content, Content wanted) {
    this.element = element;
    this.state = new ElementState(content, Fx.NONE);
    this.wanted = wanted;
  }

  /**
   * What Redis will hold once all pending effects have been applied.
   *
   * <p>Thousands may be pending on one element while a backlog drains. Each one sent or folded
   * costs the same however many there are, and so does a local change amid increments alone; a
   * local change amid other effects goes through all of them.
   */
  ElementState believed() {
    ElementState known = believed;
    if (known == null || !state.equals(believedFrom)) {
      known = sumOfAdds();
      if (known == null) {
        known = state;
        for (Pending effect : pending) {
          known = EffectSemantics.apply(known, effect.effect(), effect.number());
        }
      }
      believed = known;
      believedFrom = state;
    }
    return known;
  }

  /** What pending increments make of an integer if surely all of them pass, else null. */
  private @Nullable ElementState sumOfAdds() {
    Pending first = pending.peekFirst();
    if (others > 0 || first == null || !(first.effect() instanceof Effect.Add add)) {
      return null;
    }
    Long base = Numbers.strictInteger(element.kind(), state.content());
    if (base == null
        || !state.exception().atMost(add.knows())
        || !isSmall(base)
        || addsMagnitude >= ADD_MAX) {
      return null;
    }
    return new ElementState(Content.utf8(Long.toString(base + addsSum)), Fx.NONE);
  }

  void send(Fx number, Effect effect) {
    ElementState before = believed();
    pending.addLast(new Pending(number, effect));
    count(effect, 1);
    believed = EffectSemantics.apply(before, effect, number);
  }

  /**
   * Folds the first pending effect into {@link #state}.
   *
   * @return whether it missed
   */
  boolean foldFirst() {
    ElementState after = believed();
    Pending first = pending.removeFirst();
    count(first.effect(), -1);
    state = EffectSemantics.apply(state, first.effect(), first.number());
    believed = after;
    believedFrom = state;
    return state.exception().equals(first.number());
  }

  private static boolean isSmall(long number) {
    return -ADD_MAX < number && number < ADD_MAX;
  }

  private void count(Effect effect, int times) {
    if (effect instanceof Effect.Add add && isSmall(add.delta())) {
      addsSum += times * add.delta();
      addsMagnitude += times * Math.abs(add.delta());
    } else {
      others += times;
    }
  }

  /** Nothing is left to watch: Redis holds the merged value. */
  boolean isSettled() {
    return known
        && misplaced < 0
        && pending.isEmpty()
        && state.exception().isNone()
        && state.content().equals(wanted);
  }

  void forget() {
    known = false;
    probe = null;
    answer = null;
    heard = null;
    misplaced = -1;
    pending.clear();
    believed = null;
    addsSum = 0;
    addsMagnitude = 0;
    others = 0;
    since.clear();
  }
}
