package io.crosstide.protocol;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import java.util.List;

/**
 * What one atomic call of the Lua function does in Redis: effects with consecutive numbers, grouped
 * by the event they come from. Applied whole or not at all: a Redis whose marker stands at {@code
 * first - 1} applies it, one at or beyond {@link #last} has applied it before, any other refuses it
 * (P2).
 *
 * @param partition whose marker the batch moves
 * @param epoch the owner's; refused unless the marker has the same
 * @param first number of the first effect within the epoch
 * @param preceding the last effect applied before the epoch, {@link Fx#NONE} if there was none
 * @param stamp highest stamp of what the owner has merged: writes made after this batch are later
 *     than what it shows (P28)
 * @param groups in order; never empty, at least one effect in all
 */
public record EffectBatch(
    int partition, int epoch, long first, Fx preceding, HybridTimestamp stamp, List<Group> groups) {

  /**
   * The effects of one event, which move the context together (P9).
   *
   * @param contextAfter what Redis holds of the remote logs once the group is applied
   */
  public record Group(VersionVector contextAfter, List<Effect> effects) {
    public Group {
      effects = List.copyOf(effects);
    }
  }

  public EffectBatch {
    groups = List.copyOf(groups);
    if (groups.stream().allMatch(group -> group.effects().isEmpty())) {
      throw new IllegalArgumentException(
          "a batch has at least one effect; a noop moves the context alone");
    }
  }

  /** A batch of the first epoch there is, that moves no clock. */
  public EffectBatch(int partition, int epoch, long first, List<Group> groups) {
    this(partition, epoch, first, Fx.NONE, HybridTimestamp.ZERO, groups);
  }

  public int size() {
    int size = 0;
    for (Group group : groups) {
      size += group.effects().size();
    }
    return size;
  }

  /** Number of the last effect. */
  public long last() {
    return first + size() - 1;
  }

  public boolean hasProbe() {
    for (Group group : groups) {
      for (Effect effect : group.effects()) {
        if (effect instanceof Effect.Probe) {
          return true;
        }
      }
    }
    return false;
  }
}
