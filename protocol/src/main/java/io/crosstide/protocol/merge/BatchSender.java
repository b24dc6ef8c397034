package io.crosstide.protocol.merge;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Fx;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Sends groups of effects in numbered batches, in order, a few in flight, and sends them again
 * until Redis has acknowledged each (P1, P2). What cannot be solved by sending again (no marker,
 * another owner) it leaves to its owner.
 */
final class BatchSender {
  /** Where sending stands. */
  enum State {
    /** No connection: nothing sent before will be answered. */
    STOPPED,
    /** The marker is missing or in doubt: nothing is sent until it has been read or written. */
    PAUSED,
    SENDING,
    /** Redis refused: nothing is sent until outstanding replies are in and the pause is over. */
    REFUSED
  }

  private final int partition;
  private final EffectWire wire;
  private final MergerConfig config;
  private final Deque<EffectBatch.Group> queue = new ArrayDeque<>();
  private final Deque<EffectBatch> unacknowledged = new ArrayDeque<>();
  private State state = State.STOPPED;
  private int epoch;
  private Fx preceding = Fx.NONE;
  private long lastNumber;
  private long lastSent;
  private long lastAcknowledged;
  private int queued;
  private long queuedBytes;
  private int outstanding;
  private long resumeAtMillis;
  private int refusals;

  BatchSender(int partition, EffectWire wire, MergerConfig config) {
    this.partition = partition;
    this.wire = wire;
    this.config = config;
  }

  State state() {
    return state;
  }

  /**
   * Begins a new epoch: what the one before had queued or sent is for its successor to plan anew.
   *
   * @param applied the last effect applied before it
   */
  void begin(int newEpoch, Fx applied) {
    epoch = newEpoch;
    preceding = applied;
    lastNumber = 0;
    lastSent = 0;
    lastAcknowledged = 0;
    queued = 0;
    queuedBytes = 0;
    outstanding = 0;
    queue.clear();
    unacknowledged.clear();
    state = State.SENDING;
  }

  /** The last effect applied before this epoch. */
  Fx preceding() {
    return preceding;
  }

  int epoch() {
    return epoch;
  }

  /** The number the next planned effect will have. */
  long takeNumber() {
    return ++lastNumber;
  }

  long lastNumber() {
    return lastNumber;
  }

  /** Effects planned and not acknowledged. */
  int backlog() {
    int inFlight = 0;
    for (EffectBatch batch : unacknowledged) {
      inFlight += batch.size();
    }
    return queued + inFlight;
  }

  boolean isIdle() {
    return queue.isEmpty() && unacknowledged.isEmpty();
  }

  /** The last group is still unsent, so that its context may be raised in place. */
  boolean raiseLastContext(VersionVector context) {
    EffectBatch.Group last = queue.peekLast();
    if (last == null) {
      return false;
    }
    queue.removeLast();
    queue.addLast(new EffectBatch.Group(context, last.effects()));
    return true;
  }

  void add(EffectBatch.Group group) {
    queue.addLast(group);
    queued += group.effects().size();
    queuedBytes += bytesOf(group);
  }

  /** The last effect of this epoch that Redis has acknowledged. */
  Fx acknowledged() {
    return new Fx(epoch, lastAcknowledged);
  }

  /** Something waits to be sent that may not be before Redis has answered. */
  boolean isBlocked() {
    return state != State.SENDING
        || (queued > 0 && unacknowledged.size() >= config.batchesInFlightMax());
  }

  /**
   * Sends what may be sent.
   *
   * @param stamp highest stamp merged
   * @param onlyFull leaves what does not fill a batch for later
   */
  void pump(long nowMillis, HybridTimestamp stamp, boolean onlyFull) {
    if (state == State.REFUSED && outstanding == 0 && nowMillis >= resumeAtMillis) {
      state = State.SENDING;
      resend();
    }
    while (state == State.SENDING
        && (onlyFull ? isBatchFull() : !queue.isEmpty())
        && unacknowledged.size() < config.batchesInFlightMax()) {
      EffectBatch batch = nextBatch(stamp);
      unacknowledged.addLast(batch);
      outstanding++;
      wire.send(batch);
    }
  }

  private boolean isBatchFull() {
    return queued >= config.batchEffectsMax() || queuedBytes >= config.batchBytesMax();
  }

  private EffectBatch nextBatch(HybridTimestamp stamp) {
    List<EffectBatch.Group> groups = new ArrayList<>();
    int size = 0;
    long bytes = 0;
    while (!queue.isEmpty()) {
      EffectBatch.Group group = queue.peekFirst();
      long groupBytes = bytesOf(group);
      boolean full =
          size + group.effects().size() > config.batchEffectsMax()
              || bytes + groupBytes > config.batchBytesMax();
      if (!groups.isEmpty() && full) {
        break;
      }
      groups.add(queue.removeFirst());
      size += group.effects().size();
      bytes += groupBytes;
    }
    queued -= size;
    queuedBytes -= bytes;
    EffectBatch batch = new EffectBatch(partition, epoch, lastSent + 1, preceding, stamp, groups);
    lastSent = batch.last();
    return batch;
  }

  private static long bytesOf(EffectBatch.Group group) {
    long bytes = 0;
    for (Effect effect : group.effects()) {
      if (effect instanceof Effect.Put put && put.desired().value() != null) {
        bytes += put.desired().value().length();
      }
      if (effect instanceof Effect.Publish publish) {
        bytes += publish.channel().length() + publish.message().length();
      }
      bytes += 64;
    }
    return bytes;
  }

  /** The first unacknowledged batch was applied, now or before. */
  void acknowledged(EffectBatch batch) {
    outstanding--;
    refusals = 0;
    lastAcknowledged = Math.max(lastAcknowledged, batch.last());
    EffectBatch first = unacknowledged.peekFirst();
    if (first != null && first.first() == batch.first()) {
      unacknowledged.removeFirst();
    }
  }

  /**
   * A reply that says the batch was not applied. Everything after it is refused too; all is sent
   * again after a pause.
   */
  void refused(long nowMillis) {
    outstanding--;
    if (state == State.SENDING) {
      refusals = Math.min(refusals + 1, 8);
      resumeAtMillis = nowMillis + Math.min(config.refusalPauseMillisMax(), 1L << (refusals + 1));
      state = State.REFUSED;
    }
  }

  /** The connection is gone. */
  void stop() {
    state = State.STOPPED;
    outstanding = 0;
  }

  /** The marker is in doubt. */
  void pause() {
    if (state != State.STOPPED) {
      state = State.PAUSED;
    }
  }

  /**
   * The marker is there and its epoch ours: sends everything unacknowledged again, byte for byte,
   * in order.
   */
  void resume() {
    state = State.SENDING;
    outstanding = 0;
    resend();
  }

  private void resend() {
    for (EffectBatch batch : unacknowledged) {
      outstanding++;
      wire.send(batch);
    }
  }
}
