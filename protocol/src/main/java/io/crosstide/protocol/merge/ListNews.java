package io.crosstide.protocol.merge;

import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import org.jspecify.annotations.Nullable;

/** Takes in what capture says of a list's element: it alone knows which element was met. */
final class ListNews {
  private final Belief belief;
  private final KeyView view;

  ListNews(Belief belief, KeyView view) {
    this.belief = belief;
    this.view = view;
  }

  /**
   * Redis held at {@code event}'s place what {@code holds} says; effects up to there are folded.
   *
   * @param willAsk everything tracked will be asked for before anything is planned
   * @return what is to be reconciled; null for nothing, or not yet
   */
  @Nullable Tracked hear(ChangeEvent event, Change.ListHolds holds, boolean willAsk) {
    Element element = new Element(holds.key(), ElementKind.LIST_ELEMENT, holds.name());
    Tracked tracked = belief.get(element);
    if (willAsk) {
      if (tracked == null) {
        tracked = new Tracked(element, Content.ABSENT, view.wanted(element).compact());
        belief.track(tracked);
      }
      tracked.known = false;
      return null;
    }
    if (tracked == null) {
      tracked = new Tracked(element, Content.ABSENT, view.wanted(element).compact());
    } else if (!tracked.known) {
      Fx probe = tracked.probe;
      if (probe != null && probe.atMost(event.fx())) {
        tracked.heard = holds;
        tracked.since.clear(); // they are in it
      }
      return null;
    }
    tracked.state = new ElementState(holds.content().compact(), tracked.state.exception());
    tracked.misplaced = (int) holds.misplaced();
    return tracked;
  }
}
