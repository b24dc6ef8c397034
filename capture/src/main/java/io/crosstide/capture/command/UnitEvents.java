package io.crosstide.capture.command;

import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.ChangeEvent.StreamPosition;
import io.crosstide.protocol.ChangeEvent.TransactionPart;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The changes of one unit (a command or a transaction), held until it ends so that each event can
 * say how many belong together, then numbered, stamped and handed to the sink.
 *
 * <p>A unit with more changes than {@link InterpreterConfig#transactionEventsMax}, or more bytes of
 * them than {@link InterpreterConfig#transactionBytesMax}, is delivered in pieces, without
 * transaction parts: memory stays bounded here and wherever the changes would be held for each
 * other and written to Redis at once; they do not appear at once.
 */
final class UnitEvents {
  private final InterpreterConfig config;
  private final Sequencer sequencer;
  private final MarkerTracker markers;
  private final HybridLogicalClock clock;
  private final StreamTime time;
  private final EventSink sink;

  private final List<Pending> pending = new ArrayList<>();
  private final int[] waiting;
  private final int[] counts;
  private final int[] indexes;
  private long pendingBytes;
  private int nextIndex;
  private boolean inPieces;

  private record Pending(
      int partition,
      RedisKey key,
      Change change,
      boolean createsKey,
      VersionVector context,
      Map<String, Missed> exceptions,
      Fx fx) {}

  UnitEvents(
      InterpreterConfig config,
      Sequencer sequencer,
      MarkerTracker markers,
      HybridLogicalClock clock,
      StreamTime time,
      EventSink sink) {
    this.config = config;
    this.sequencer = sequencer;
    this.markers = markers;
    this.clock = clock;
    this.time = time;
    this.sink = sink;
    this.waiting = new int[config.partitions()];
    this.counts = new int[config.partitions()];
    this.indexes = new int[config.partitions()];
  }

  /** Adds a change with what its Redis had seen by now. */
  void add(RedisKey key, Change change, boolean createsKey, String replId, long endOffset) {
    Pending added = seenBy(key, change, createsKey);
    pending.add(added);
    waiting[added.partition()]++;
    pendingBytes += CommandContext.size(key, change);
    if (pending.size() >= config.transactionEventsMax()
        || (pendingBytes > config.transactionBytesMax() && pending.size() > 1)) {
      inPieces = true;
      deliver(replId, endOffset);
    }
  }

  /** The number that the next change added of this key will get. */
  long nextSeq(RedisKey key) {
    int partition = config.partitioner().applyAsInt(key.name().array());
    return sequencer.last(partition) + waiting[partition] + 1;
  }

  /** The change with what its Redis has seen by now; of an element with an exception, less (P9). */
  private Pending seenBy(RedisKey key, Change change, boolean createsKey) {
    int partition = config.partitioner().applyAsInt(key.name().array());
    VersionVector context = markers.context(partition);
    Map<String, Missed> exceptions = Map.of();
    if (markers.hasExceptions(partition)) {
      if (change instanceof Change.OfElement of) {
        context = markers.contextOf(partition, new Element(key, of.kind(), of.name()));
      } else if (!(change instanceof Change.Publish)) {
        exceptions = markers.exceptionsOf(partition, key);
      }
    }
    return new Pending(
        partition, key, change, createsKey, context, exceptions, markers.fx(partition));
  }

  /** Delivers what is left of the unit. */
  void deliverAll(String replId, long endOffset) {
    if (!pending.isEmpty()) {
      deliver(replId, endOffset);
    }
  }

  /** The open unit is read piece by piece: its events are not to be held for each other. */
  void inPieces() {
    inPieces = true;
  }

  void endUnit() {
    nextIndex = 0;
    inPieces = false;
  }

  /** Delivers one change that stands for itself, stamped with the time of the last beacon. */
  void deliverAlone(RedisKey key, Change change, boolean createsKey, StreamPosition position) {
    deliver(seenBy(key, change, createsKey), null, position, time.lastKnownMillis());
  }

  /** Takes the next index for a control event of this unit. */
  int nextIndex() {
    return nextIndex++;
  }

  private void deliver(String replId, long endOffset) {
    int size = pending.size();
    boolean together = size > 1 && !inPieces;
    if (together) {
      Arrays.fill(counts, 0);
      Arrays.fill(indexes, 0);
      for (int i = 0; i < size; i++) {
        counts[pending.get(i).partition()]++;
      }
    }
    for (int i = 0; i < size; i++) {
      Pending change = pending.get(i);
      int partition = change.partition();
      TransactionPart part = null;
      if (together && counts[partition] > 1) {
        part = new TransactionPart(endOffset, indexes[partition]++, counts[partition]);
      }
      deliver(change, part, new StreamPosition(replId, endOffset, nextIndex++), time.stampMillis());
    }
    pending.clear();
    Arrays.fill(waiting, 0);
    pendingBytes = 0;
  }

  private void deliver(
      Pending change, @Nullable TransactionPart part, StreamPosition position, long millis) {
    int partition = change.partition();
    long seq = sequencer.next(partition, position.replOffset(), position.index());
    if (seq < 0) {
      return;
    }
    sink.event(
        partition,
        new ChangeEvent(
            config.origin(),
            seq,
            seq - 1,
            config.captureEpoch(),
            clock.nextAt(millis),
            change.context(),
            change.exceptions(),
            change.fx(),
            change.key(),
            change.change(),
            position,
            part,
            change.createsKey()));
  }

  /** A control event: it takes no number, says how far its log is, and follows that event. */
  ChangeEvent control(
      int partition, Change.Control change, Map<String, Missed> exceptions, StreamPosition at) {
    return control(partition, change, exceptions, markers.fx(partition), at);
  }

  /** The same with another effect number than the marker's. */
  ChangeEvent control(
      int partition,
      Change.Control change,
      Map<String, Missed> exceptions,
      Fx fx,
      StreamPosition at) {
    long seq = sequencer.last(partition);
    return new ChangeEvent(
        config.origin(),
        seq,
        seq,
        config.captureEpoch(),
        clock.nextAt(time.stampMillis()),
        markers.context(partition),
        exceptions,
        fx,
        null,
        change,
        at,
        null);
  }
}
