package io.crosstide.streams.owner;

import io.crosstide.apply.LettuceEffectWire;
import io.crosstide.apply.RegionRedis;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;

/** An owner's connection to Redis: what it answers waits until it is drained. */
public interface OwnerWire extends EffectWire, AutoCloseable {

  /**
   * The region's log has shown that capture has passed the effect {@code number}; call now and
   * then.
   */
  default void shown(Fx number) {}

  /** Hands what Redis has answered to {@code listener}; on the owner's thread. */
  boolean drain(Listener listener);

  /** Whether answers wait; for any thread. */
  boolean hasEvents();

  @Override
  void close();

  /** Opens connections. */
  @FunctionalInterface
  interface Opener {
    /**
     * @param wakeUp called from any thread when answers wait
     * @param routine called instead when they only say that batches have been applied as planned
     */
    OwnerWire open(Runnable wakeUp, Runnable routine);
  }

  /** Connections to {@code redis}. */
  static Opener to(RegionRedis redis) {
    return (wakeUp, routine) -> new OverLettuce(redis.openWire(wakeUp, routine));
  }

  /** The real one. */
  final class OverLettuce implements OwnerWire {
    private final LettuceEffectWire wire;

    private OverLettuce(LettuceEffectWire wire) {
      this.wire = wire;
    }

    @Override
    public boolean drain(Listener listener) {
      return wire.drain(listener);
    }

    @Override
    public boolean hasEvents() {
      return wire.hasEvents();
    }

    @Override
    public void send(EffectBatch batch) {
      wire.send(batch);
    }

    @Override
    public void takeOver(int partition, int epoch, Fx least, String token) {
      wire.takeOver(partition, epoch, least, token);
    }

    @Override
    public void install(int partition, MarkerState marker, String token) {
      wire.install(partition, marker, token);
    }

    @Override
    public void close() {
      wire.close();
    }
  }
}
