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

  /** A local change processed while the content was unknown. */
  record LocalChange(Fx fx, Change change) {}

  final Element element;

  /** What Redis holds once the pending effects are left out. */
  ElementState state;

  /** The merged value as of the last event that touched the element. */
  Content wanted;

  final Deque<Pending> pending = new ArrayDeque<>();

  /**
   * False while a probe is needed or under way; then {@code state} means nothing and no effects are
   * planned.
   */
  boolean known = true;

  /** Number of the probe under way, or null if none has been sent. */
  @Nullable Fx probe;

  BatchReply.@Nullable ProbeAnswer answer;
  final List<LocalChange> since = new ArrayList<>();

  /** Effects missed since one passed. */
  int missesInRow;

  /** Probes answered since a local change or a passed effect. */
  int probesInRow;

  Tracked(Element element, Content content, Content wanted) {
    this.element = element;
    this.state = new ElementState(content, Fx.NONE);
    this.wanted = wanted;
  }

  /** What Redis will hold once all pending effects have been applied. */
  ElementState believed() {
    ElementState believed = state;
    for (Pending effect : pending) {
      believed = EffectSemantics.apply(believed, effect.effect(), effect.number());
    }
    return believed;
  }

  /** Nothing is left to watch: Redis holds the merged value. */
  boolean isSettled() {
    return known
        && pending.isEmpty()
        && state.exception().isNone()
        && state.content().equals(wanted);
  }

  void forget() {
    known = false;
    probe = null;
    answer = null;
    pending.clear();
    since.clear();
  }
}
