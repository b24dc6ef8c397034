package io.crosstide.protocol.merge;

import io.crosstide.crdt.Cell;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything one region's merge knows of one key.
 *
 * @param kind of the elements to be seen, null if nothing is
 * @param deadlineMillis to be seen, since 1970; 0 for none
 * @param elements the string's cell, if it is not blank, then stored elements in row order, at most
 *     as many as were asked for
 * @param elementsMore how many stored elements there are beyond those
 * @param deadlines surviving writes of the deadline
 * @param expiries that are not stable yet
 * @param removals of the whole key that wait for events still to come
 * @param deadlineState what is tracked of the deadline, null if Redis is believed to hold it
 */
public record KeyReport(
    RedisKey key,
    @Nullable ElementKind kind,
    long deadlineMillis,
    List<ElementReport> elements,
    long elementsMore,
    List<KeyState.DeadlineWrite> deadlines,
    List<KeyState.Expiry> expiries,
    List<KeyState.Removal> removals,
    @Nullable TrackedReport deadlineState) {

  public KeyReport {
    elements = List.copyOf(elements);
    deadlines = List.copyOf(deadlines);
    expiries = List.copyOf(expiries);
    removals = List.copyOf(removals);
  }

  /**
   * One stored element.
   *
   * @param visible what Redis should hold; absent if hidden, removed, or of another type than the
   *     visible one
   * @param cell its surviving writes and increments
   * @param tracked null if Redis is believed to hold {@code visible}
   */
  public record ElementReport(
      Element element, Content visible, Cell cell, @Nullable TrackedReport tracked) {
    /** What removals have covered of events not yet received. */
    public VersionVector removed() {
      return cell.removed();
    }
  }

  /**
   * What the owner believes of an element that Redis may hold differently.
   *
   * @param known false while Redis is to be asked or has been
   * @param content what Redis held after the last local event processed; absent while not known
   * @param believed what it will hold once the pending effects are applied; absent while not known
   * @param exception number of the miss that the marker excepts the element for, or {@link Fx#NONE}
   * @param pending effects sent that the local log has not shown yet
   */
  public record TrackedReport(
      boolean known, Content content, Content believed, Fx exception, List<SentEffect> pending) {
    public TrackedReport {
      pending = List.copyOf(pending);
    }
  }

  /** An effect under its number. */
  public record SentEffect(Fx number, Effect effect) {}
}
