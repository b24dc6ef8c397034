package io.crosstide.protocol;

import io.crosstide.crdt.Dot;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One element-level change as capture publishes it: one record in a log.
 *
 * @param origin the log's writer
 * @param seq this event's place in the log of its partition; for a {@link Change.Control} the last
 *     one used, possibly 0
 * @param previousSeq the seq of the record before it in this log as forwarded: {@code seq - 1}
 *     unless a bridge left records out (P18)
 * @param captureEpoch rises with every start of capture; a reader that has seen a higher one in
 *     this log ignores the record (P16)
 * @param stamp when it happened
 * @param context what of the other logs, and of older incarnations of its own, this Redis held when
 *     the write ran; for an element with an exception, that exception's context (P9). The own log
 *     is held up to {@code seq - 1} and not listed
 * @param exceptions for whole-key changes and {@link Change.MarkerLost}: elements of the key, by
 *     {@link Element#digest()}, for which {@code context} claims too much, with what they held
 * @param fx number of the last effect applied before this write
 * @param key null for control events
 * @param position where the command stands in the replication stream
 * @param transaction null outside transactions
 * @param createsKey the write of an element found no key of this name, and so no deadline:
 *     deadlines that it had seen are void, as they were of a key that is gone
 */
public record ChangeEvent(
    Origin origin,
    long seq,
    long previousSeq,
    int captureEpoch,
    HybridTimestamp stamp,
    VersionVector context,
    Map<String, MarkerState.Missed> exceptions,
    Fx fx,
    @Nullable RedisKey key,
    Change change,
    StreamPosition position,
    @Nullable TransactionPart transaction,
    boolean createsKey) {

  /** A control event, a change of a whole key, or a write to a key that was there. */
  public ChangeEvent(
      Origin origin,
      long seq,
      long previousSeq,
      int captureEpoch,
      HybridTimestamp stamp,
      VersionVector context,
      Map<String, MarkerState.Missed> exceptions,
      Fx fx,
      @Nullable RedisKey key,
      Change change,
      StreamPosition position,
      @Nullable TransactionPart transaction) {
    this(
        origin,
        seq,
        previousSeq,
        captureEpoch,
        stamp,
        context,
        exceptions,
        fx,
        key,
        change,
        position,
        transaction,
        false);
  }

  /**
   * A place in a Redis's replication stream.
   *
   * @param replId replication id of the history, 40 hex digits; empty if unknown
   * @param replOffset bytes of the history up to the command's end
   * @param index of the change within the command or transaction that ends there
   */
  public record StreamPosition(String replId, long replOffset, int index) {
    public static final StreamPosition UNKNOWN = new StreamPosition("", 0, 0);
  }

  /**
   * This event's place among those of one transaction in one partition; they have consecutive seqs.
   *
   * @param id {@code replOffset} of the transaction's end: unique in its log
   * @param index from 0
   * @param count how many of the transaction's events are in this partition
   */
  public record TransactionPart(long id, int index, int count) {
    public boolean isLast() {
      return index == count - 1;
    }
  }

  public ChangeEvent {
    exceptions = Map.copyOf(exceptions);
    if ((key == null) != (change instanceof Change.Control)) {
      throw new IllegalArgumentException(
          "control events, and only they, have no key: " + change + " with key " + key);
    }
    if (createsKey && !mayCreateKey(change)) {
      throw new IllegalArgumentException(change + " does not say that it made its key");
    }
  }

  /** Whether this kind of change says if its key was new: the writes of elements do. */
  public static boolean mayCreateKey(Change change) {
    return change instanceof Change.OfElement of && of.kind() != ElementKind.DEADLINE;
  }

  /** This event as the write that made its key. */
  public ChangeEvent creatingKey() {
    return new ChangeEvent(
        origin,
        seq,
        previousSeq,
        captureEpoch,
        stamp,
        context,
        exceptions,
        fx,
        key,
        change,
        position,
        transaction,
        true);
  }

  public boolean isControl() {
    return change instanceof Change.Control;
  }

  /** This write's identity; not for control events. */
  public Dot dot() {
    return new Dot(origin, seq);
  }

  /** What the write had seen of all logs, its own included. */
  public VersionVector seen() {
    return context.with(origin, Math.max(seq - 1, context.get(origin)));
  }

  /** As {@link #seen()}, for one element of the key: lower where the element has an exception. */
  public VersionVector seen(Element element) {
    if (exceptions.isEmpty()) {
      return seen();
    }
    MarkerState.Missed missed = exceptions.get(element.digest());
    return missed == null
        ? seen()
        : missed.context().with(origin, Math.max(seq - 1, missed.context().get(origin)));
  }

  /** The element this event changes, or null for whole-key and control events. */
  public @Nullable Element element() {
    RedisKey k = key;
    return k != null && change instanceof Change.OfElement of
        ? new Element(k, of.kind(), of.name())
        : null;
  }
}
