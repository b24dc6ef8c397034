package io.crosstide.control.role;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import java.util.List;
import java.util.Map;

/**
 * The merged state of one key with everything that led to it.
 *
 * @param type visible type, {@code none} if nothing is visible
 * @param deadlineMillis visible deadline; 0 for none
 * @param elements at most as many as were asked for
 * @param elementsMore how many there are beyond those
 */
public record KeyExplanation(
    String type, long deadlineMillis, List<ElementExplanation> elements, long elementsMore) {

  public KeyExplanation {
    elements = List.copyOf(elements);
  }

  /**
   * One element: a string's value, a field, a member, or the deadline.
   *
   * @param visible what Redis should hold
   * @param writes that survive, the winning one first
   * @param increments that are added to the winning write, by region, as text
   * @param note on what Redis may hold instead for the moment; empty if nothing
   */
  public record ElementExplanation(
      ElementKind kind,
      Bytes name,
      Content visible,
      List<Write> writes,
      Map<String, String> increments,
      String note) {

    public ElementExplanation {
      writes = List.copyOf(writes);
      increments = Map.copyOf(increments);
    }
  }

  /**
   * One surviving write of one element.
   *
   * @param stamp {@link HybridTimestamp#ZERO} for deadlines, which do not compare by stamps
   */
  public record Write(Dot dot, HybridTimestamp stamp, Content content) {}
}
