package io.crosstide.capture.rdb;

import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.rdb.SentEffects.Applied;
import io.crosstide.capture.rdb.SentEffects.Batches;
import io.crosstide.capture.rdb.SentEffects.Sent;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one partition of the shadow from its checkpoint as near to a snapshot as can be known,
 * when the stream between the two cannot be read: with the events that the own log holds beyond the
 * shadow, and with the effects that Redis applied. Each event says which effects were before it,
 * and they are folded in that order, else guards would be held against contents that they never
 * met.
 *
 * <pre>
 *   own log        e1(fx 3)            e2(fx 7)             nothing: what follows is not known
 *   effects   2 3            4 5 6 7             8 9 10     marker in the snapshot: 10
 * </pre>
 *
 * <p>Shadow, the marker's place and the log's move together in units, so that nothing is folded
 * twice, whatever process dies where.
 */
final class CatchUp {
  private static final Logger log = LoggerFactory.getLogger(CatchUp.class);

  /** Receives changes that nobody has published yet. */
  interface Publisher {
    void publish(RedisKey key, Change change);
  }

  /**
   * What is to be done for one partition.
   *
   * @param logEnd the last seq the log held when it was fenced
   * @param found the snapshot's marker; null if it has none
   * @param token what an owner has left in the marker's place; empty if nothing
   * @param applied batches that Redis applied beyond the shadow's marker; null if there are none,
   *     or none are known
   */
  record Plan(
      int partition,
      long logEnd,
      @Nullable MarkerState found,
      String token,
      @Nullable Applied applied) {}

  private final StreamInterpreter interpreter;
  private final Shadow shadow;
  private final LocalLog localLog;
  private final LapsedKeys lapsed;
  private final Publisher publisher;
  private final Units units;

  CatchUp(
      StreamInterpreter interpreter,
      Shadow shadow,
      Snapshot snapshot,
      LocalLog localLog,
      Publisher publisher,
      Units units) {
    this.interpreter = interpreter;
    this.shadow = shadow;
    this.localLog = localLog;
    this.lapsed = new LapsedKeys(shadow, snapshot.content());
    this.publisher = publisher;
    this.units = units;
  }

  /** Leaves a unit open: what the caller makes of the snapshot's marker belongs to it. */
  void run(Plan plan) {
    Applied applied = plan.applied();
    if (applied == null) {
      fold(plan, null);
      return;
    }
    try (Batches batches = applied.open()) {
      fold(plan, batches);
    }
  }

  private void fold(Plan plan, @Nullable Batches batches) {
    Folding folding = new Folding(plan, batches);
    long derived = interpreter.sequencer().last(plan.partition());
    if (derived < plan.logEnd()) {
      localLog.eventsAfter(plan.partition(), derived, folding::event);
    }
    folding.rest();
  }

  /** The fold of one partition. */
  private final class Folding {
    private final int partition;
    private final EffectFold effects;
    private final @Nullable Batches batches;
    private @Nullable Sent next;
    private long events;

    Folding(Plan plan, @Nullable Batches batches) {
      this.partition = plan.partition();
      MarkerState from = interpreter.markers().state(partition);
      Outcomes outcomes = new Outcomes(plan.found(), from.context(), plan.applied());
      this.effects = new EffectFold(shadow, from, outcomes);
      this.batches = batches;
      this.next = batches == null ? null : batches.next();
    }

    void event(ChangeEvent event) {
      for (Sent sent = next; sent != null && isBefore(sent, event); sent = next) {
        // Whatever a client did before this event is in the log.
        apply(sent, emptied -> {});
      }
      RedisKey key = Objects.requireNonNull(event.key(), "only events with a seq have a key");
      ShadowFold.apply(shadow.key(key.db(), key.name()), event.change());
      interpreter.sequencer().continueAfter(partition, event.seq());
      events++;
      units.changed(1);
      sealIfFull();
    }

    private boolean isBefore(Sent sent, ChangeEvent event) {
      return new Fx(sent.batch().epoch(), sent.batch().last()).atMost(event.fx());
    }

    /**
     * The effects after the log's end, where of local changes only those are known that effects
     * must have met: expiries, and that a key had been emptied.
     */
    void rest() {
      for (Sent sent = next; sent != null; sent = next) {
        for (RedisKey key : lapsed.before(sent)) {
          long deadline = shadow.key(key.db(), key.name()).deadlineMillis();
          marker();
          publisher.publish(key, new Change.KeyExpire(deadline));
          shadow.key(key.db(), key.name()).delete();
        }
        MarkerState before = effects.marker();
        apply(sent, emptied -> publishEmptied(emptied, before));
      }
      if (batches != null) {
        marker();
        log.info(
            "partition {}: {} effects folded into the shadow, {} of them missed, and {} events of"
                + " the own log; {} elements differ in being excepted, for local writes not known"
                + " here",
            partition,
            effects.effects(),
            effects.missed(),
            events,
            effects.differing());
      } else if (events > 0) {
        log.info(
            "partition {}: {} events of the own log were not in the shadow yet", partition, events);
      }
    }

    /** Stamped with what Redis held before the batch that found the key empty. */
    private void publishEmptied(ShadowKey key, MarkerState before) {
      if (!key.is(ShadowType.OPAQUE)) { // of which others hold nothing
        interpreter.markers().restore(partition, before);
        publisher.publish(key.redisKey(), new Change.KeyDelete());
      }
    }

    private void apply(Sent sent, EffectFold.Evidence evidence) {
      effects.apply(sent.batch(), evidence);
      lapsed.folded(sent);
      next = Objects.requireNonNull(batches, "a batch came from it").next();
      units.changed(sent.batch().effects().size());
      sealIfFull();
    }

    private void sealIfFull() {
      if (units.isFull()) {
        marker();
        units.seal();
      }
    }

    /** The tracked marker follows the effects folded. */
    private void marker() {
      if (batches != null) {
        interpreter.markers().restore(partition, effects.marker());
      }
    }
  }
}
