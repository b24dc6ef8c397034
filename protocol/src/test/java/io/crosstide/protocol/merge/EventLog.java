package io.crosstide.protocol.merge;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.ChangeEvent.StreamPosition;
import io.crosstide.protocol.ChangeEvent.TransactionPart;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The log of one origin for tests: numbers its events as capture does. */
public final class EventLog {
  private final Origin origin;
  private long lastSeq;
  private int captureEpoch = 1;

  public EventLog(Origin origin) {
    this.origin = origin;
  }

  public EventLog(int regionId) {
    this(Origin.of(regionId));
  }

  public Origin origin() {
    return origin;
  }

  public long lastSeq() {
    return lastSeq;
  }

  /** A capture that starts anew fences the one before (P16). */
  public void captureEpoch(int epoch) {
    captureEpoch = epoch;
  }

  /** Leaves seqs out, as a log that lost records would. */
  public void skip(int seqs) {
    lastSeq += seqs;
  }

  /** A write that had seen {@code context} of the other logs. */
  public ChangeEvent write(RedisKey key, Change change, VersionVector context, long millis) {
    return write(key, change, context, Map.of(), Fx.NONE, millis, null);
  }

  public ChangeEvent write(
      RedisKey key,
      Change change,
      VersionVector context,
      Map<String, MarkerState.Missed> exceptions,
      Fx fx,
      long millis,
      @Nullable TransactionPart part) {
    lastSeq++;
    return new ChangeEvent(
        origin,
        lastSeq,
        lastSeq - 1,
        captureEpoch,
        HybridTimestamp.of(millis, 0),
        context,
        exceptions,
        fx,
        key,
        change,
        StreamPosition.UNKNOWN,
        part);
  }

  /** A control event, which carries the last seq used. */
  public ChangeEvent control(
      Change.Control change,
      VersionVector context,
      Map<String, MarkerState.Missed> exceptions,
      Fx fx) {
    return new ChangeEvent(
        origin,
        lastSeq,
        lastSeq,
        captureEpoch,
        HybridTimestamp.ZERO,
        context,
        exceptions,
        fx,
        null,
        change,
        StreamPosition.UNKNOWN,
        null);
  }
}
