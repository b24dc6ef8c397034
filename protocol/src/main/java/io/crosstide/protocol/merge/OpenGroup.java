package io.crosstide.protocol.merge;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Effects planned and not yet handed to the sender, and the context that their group will claim.
 */
final class OpenGroup {
  /**
   * An event that changes more elements than this is sent in several groups, of which only the last
   * claims it (P14).
   */
  private static final int GROUP_MAX = 2048;

  private final BatchSender sender;
  private List<Effect> effects = new ArrayList<>();
  private VersionVector claimed = VersionVector.EMPTY;

  /** What was merged as of the last look at what may be claimed; null: not looked yet. */
  private @Nullable VersionVector claimedFrom;

  private boolean contextMoved;

  OpenGroup(BatchSender sender) {
    this.sender = sender;
  }

  /** What the marker claims once all planned so far has been applied. */
  VersionVector claimed() {
    return claimed;
  }

  /** A new epoch begins with what the marker claims. */
  void begin(VersionVector context) {
    claimed = context;
    claimedFrom = null;
  }

  int size() {
    return effects.size();
  }

  /** What may be claimed has moved, and no group that says so has been handed over. */
  boolean owesClaim() {
    return contextMoved;
  }

  /** The last effects, all on one key, include one on {@code element} of that key. */
  boolean endsWith(Element element) {
    for (int i = effects.size() - 1; i >= 0; i--) {
      Element each = effects.get(i).element();
      if (each == null || !each.key().equals(element.key())) {
        return false;
      }
      if (each.equals(element)) {
        return true;
      }
    }
    return false;
  }

  /** The last effect is one on {@code element}. */
  boolean isLast(Element element) {
    return !effects.isEmpty() && element.equals(effects.get(effects.size() - 1).element());
  }

  Fx append(Effect effect) {
    effects.add(effect);
    return new Fx(sender.epoch(), sender.takeNumber());
  }

  /** All of {@code merged} may be claimed. */
  void claim(VersionVector merged, Origin local) {
    if (claimedFrom != null && merged.equals(claimedFrom)) {
      return;
    }
    claimedFrom = merged;
    VersionVector context = PartitionMeta.without(merged, local);
    if (!context.equals(claimed)) {
      claimed = context;
      contextMoved = true;
    }
  }

  /** Hands the group over; if there is none, the last one claims more, if it still may. */
  void close() {
    if (!effects.isEmpty()) {
      sender.add(new EffectBatch.Group(claimed, effects));
      effects = new ArrayList<>();
      contextMoved = false;
    } else if (contextMoved && sender.raiseLastContext(claimed)) {
      contextMoved = false;
    }
  }

  /**
   * Keeps groups small where that is harmless: what is sent ahead of its claim is not claimed yet.
   */
  void split() {
    if (effects.size() >= GROUP_MAX) {
      sender.add(new EffectBatch.Group(claimed, effects));
      effects = new ArrayList<>();
    }
  }
}
