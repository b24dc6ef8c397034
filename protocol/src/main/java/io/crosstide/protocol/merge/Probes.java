package io.crosstide.protocol.merge;

import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/** Questions to Redis about single elements, under way or answered and not yet used (P1, P4). */
final class Probes {
  /** After so many probes in a row without a word from capture, it evidently has none. */
  private static final int UNHEARD_MAX = 3;

  private final OpenGroup group;
  private final MergerListener listener;
  private final Map<Fx, Tracked> awaiting = new HashMap<>();

  Probes(OpenGroup group, MergerListener listener) {
    this.group = group;
    this.listener = listener;
  }

  boolean isEmpty() {
    return awaiting.isEmpty();
  }

  void send(Tracked tracked) {
    Fx number = group.append(new Effect.Probe(tracked.element));
    tracked.probe = number;
    tracked.answer = null;
    tracked.heard = null;
    tracked.since.clear();
    awaiting.put(number, tracked);
    listener.probe(tracked.element);
  }

  /** Lost replies: every unanswered probe is sent again under a new number (P1). */
  void sendUnansweredAgain() {
    List<Tracked> unanswered = new ArrayList<>();
    awaiting.values().removeIf(tracked -> tracked.answer == null && unanswered.add(tracked));
    sendAgain(unanswered);
  }

  private void sendAgain(List<Tracked> unanswered) {
    for (Tracked tracked : unanswered) {
      List<Tracked.LocalChange> since = List.copyOf(tracked.since);
      send(tracked);
      Fx probe = Objects.requireNonNull(tracked.probe);
      for (Tracked.LocalChange change : since) {
        if (probe.atMost(change.fx())) {
          tracked.since.add(change);
        }
      }
    }
  }

  void answered(Fx number, BatchReply.ProbeAnswer answer) {
    Tracked tracked = awaiting.get(number);
    if (tracked != null) {
      tracked.answer = answer;
    }
  }

  /**
   * Only capture can say what a list holds, and it does so in the log, before the beat that shows
   * the probe's place. Asks again where it has not: what a full resync skipped, it has not read.
   * Where it remains silent it does not know the list; then Redis is taken to hold what is merged,
   * which the next full resync makes true.
   *
   * @param merged what is merged of an element
   */
  void askUnheardAgain(Fx passed, Function<Element, Content> merged) {
    List<Tracked> unheard = new ArrayList<>();
    for (Iterator<Map.Entry<Fx, Tracked>> each = awaiting.entrySet().iterator(); each.hasNext(); ) {
      Map.Entry<Fx, Tracked> entry = each.next();
      Tracked tracked = entry.getValue();
      if (isHeard(tracked) || tracked.answer == null || !entry.getKey().atMost(passed)) {
        continue;
      }
      if (++tracked.unheard < UNHEARD_MAX) {
        unheard.add(tracked);
        each.remove();
      } else {
        Element element = tracked.element;
        tracked.heard =
            new Change.ListHolds(element.key(), element.name(), merged.apply(element), -1);
        tracked.since.clear();
        listener.unrepresentable(element, "capture does not know what the list holds");
      }
    }
    sendAgain(unheard);
  }

  private static boolean isHeard(Tracked tracked) {
    return tracked.element.kind() != ElementKind.LIST_ELEMENT || tracked.heard != null;
  }

  /**
   * Whether the answers may be used: each is in, and the local log has shown its place.
   *
   * @param passed up to which effect the local log has been processed
   */
  boolean areAnswered(Fx passed) {
    for (Map.Entry<Fx, Tracked> entry : awaiting.entrySet()) {
      Tracked tracked = entry.getValue();
      if (tracked.answer == null || !isHeard(tracked) || !entry.getKey().atMost(passed)) {
        return false;
      }
    }
    return true;
  }

  /** Hands over what was asked for; nothing is awaited any more. */
  List<Tracked> take() {
    List<Tracked> taken = List.copyOf(awaiting.values());
    awaiting.clear();
    return taken;
  }

  /**
   * What Redis holds is the answer with the local changes since. A full resync's differences stand
   * in for changes from before the probe and after it alike: what they set is held either way, but
   * a sum may be in the answer already.
   *
   * @return false if that cannot be told, so that it is to be asked again
   */
  static boolean use(Tracked tracked) {
    BatchReply.ProbeAnswer answer = Objects.requireNonNull(tracked.answer);
    Change.ListHolds heard = tracked.heard;
    Content content = (heard == null ? answer.content() : heard.content()).compact();
    for (Tracked.LocalChange change : tracked.since) {
      boolean maybeHeld = !change.isBehindProbe() && LocalFold.isSum(change.change());
      Content after = maybeHeld ? null : LocalFold.after(content, tracked.element, change.change());
      if (after == null) {
        tracked.probe = null;
        return false;
      }
      content = after.compact();
    }
    tracked.known = true;
    tracked.probe = null;
    tracked.answer = null;
    if (heard != null) {
      tracked.misplaced = (int) heard.misplaced();
      tracked.heard = null;
      tracked.unheard = 0;
    }
    tracked.since.clear();
    tracked.state = new ElementState(content, answer.exception());
    return true;
  }
}
