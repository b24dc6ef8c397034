package io.crosstide.apply;

import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.MarkerState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** An owner in the test's own thread: records what its wire tells it, and can be told to wait. */
final class TestOwner implements EffectWire.Listener {
  record Reply(EffectBatch batch, BatchReply reply) {}

  record Refusal(EffectBatch batch, String error) {}

  final Semaphore wakeUps = new Semaphore(0);
  final List<String> log = new ArrayList<>();
  final List<Reply> replies = new ArrayList<>();
  final List<Refusal> refusals = new ArrayList<>();
  final List<@Nullable MarkerState> markers = new ArrayList<>();
  int connects;
  int disconnects;
  private @Nullable LettuceEffectWire wire;

  void attach(LettuceEffectWire attached) {
    wire = attached;
  }

  void wakeUp() {
    wakeUps.release();
  }

  /** Drains only after wake-ups, as the owner does, until the condition holds. */
  void awaitThat(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    LettuceEffectWire drained = wire;
    if (drained == null) {
      throw new IllegalStateException("attach a wire first");
    }
    while (!condition.getAsBoolean()) {
      try {
        if (!wakeUps.tryAcquire(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
          throw new AssertionError("waited 20 s in vain for " + what + "; so far: " + log);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
      drained.drain(this);
    }
  }

  void awaitConnect(int count) {
    awaitThat("connection " + count, () -> connects >= count);
  }

  Reply awaitReply(Predicate<EffectBatch> of) {
    awaitThat("a reply", () -> replies.stream().anyMatch(reply -> of.test(reply.batch())));
    return replies.stream().filter(reply -> of.test(reply.batch())).findFirst().orElseThrow();
  }

  @Override
  public void onConnected() {
    connects++;
    log.add("connected");
  }

  @Override
  public void onDisconnected() {
    disconnects++;
    log.add("disconnected");
  }

  @Override
  public void onReply(EffectBatch batch, BatchReply reply) {
    replies.add(new Reply(batch, reply));
    log.add(reply.outcome() + " " + batch.first());
  }

  @Override
  public void onRefused(EffectBatch batch, String error) {
    refusals.add(new Refusal(batch, error));
    log.add("refused " + batch.first() + " " + RedisRefusal.code(error));
  }

  @Override
  public void onMarker(int partition, @Nullable MarkerState marker) {
    markers.add(marker);
    log.add("marker " + (marker == null ? "none" : marker.fx()));
  }

  @Override
  public void onMarkerRefused(int partition, String error) {
    log.add("marker refused " + RedisRefusal.code(error));
  }
}
