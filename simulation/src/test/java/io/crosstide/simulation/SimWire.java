package io.crosstide.simulation;

import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection between an owner and its Redis: calls and replies wait in queues until the
 * scheduler moves them. A batch is remembered before it is sent (P7). Breaking it loses replies and
 * lets any prefix of the calls through, at once or, as of an owner that is gone, later.
 */
final class SimWire implements EffectWire {
  private sealed interface Call {}

  private record Send(EffectBatch batch) implements Call {}

  private record TakeOver(int partition, int epoch, Fx least, String token) implements Call {}

  private record Install(int partition, MarkerState marker, String token) implements Call {}

  private final SimRedis redis;
  private final SimSentEffects memory;
  private Fx remembered = Fx.NONE;
  private final Deque<Call> calls = new ArrayDeque<>();
  private final Deque<Consumer<EffectWire.Listener>> replies = new ArrayDeque<>();
  private boolean connected;

  SimWire(SimRedis redis, SimSentEffects memory) {
    this.redis = redis;
    this.memory = memory;
  }

  boolean isConnected() {
    return connected;
  }

  boolean isQuiet() {
    return calls.isEmpty() && replies.isEmpty();
  }

  boolean hasCalls() {
    return !calls.isEmpty();
  }

  boolean hasReplies() {
    return !replies.isEmpty();
  }

  void connect(EffectWire.Listener owner) {
    connected = true;
    owner.onConnected();
  }

  void cut(EffectWire.Listener owner, Random random) {
    while (!calls.isEmpty() && random.nextBoolean()) {
      execute(false);
    }
    calls.clear();
    replies.clear();
    connected = false;
    owner.onDisconnected();
  }

  /** The owner is gone; what it sent may still arrive. */
  void orphan() {
    connected = false;
    replies.clear();
  }

  /** Redis executes the next call, or refuses it. */
  void execute(boolean refuse) {
    Call call = calls.removeFirst();
    if (call instanceof Send send) {
      EffectBatch batch = send.batch();
      if (refuse) {
        replies.add(owner -> owner.onRefused(batch, "OOM command not allowed"));
      } else {
        BatchReply reply = redis.batch(batch);
        replies.add(owner -> owner.onReply(batch, reply));
      }
    } else if (call instanceof TakeOver takeOver) {
      @Nullable MarkerState marker =
          redis.takeOver(takeOver.epoch(), takeOver.least(), takeOver.token());
      replies.add(owner -> owner.onMarker(takeOver.partition(), marker));
    } else if (call instanceof Install install) {
      @Nullable MarkerState marker = redis.install(install.marker(), install.token());
      replies.add(owner -> owner.onMarker(install.partition(), marker));
    }
  }

  void reply(EffectWire.Listener owner) {
    replies.removeFirst().accept(owner);
  }

  @Override
  public void send(EffectBatch batch) {
    if (connected) {
      Fx last = new Fx(batch.epoch(), batch.last());
      if (remembered.compareTo(last) < 0) {
        memory.remember(batch);
        remembered = last;
      }
      calls.add(new Send(batch));
    }
  }

  @Override
  public void takeOver(int partition, int epoch, Fx least, String token) {
    if (connected) {
      calls.add(new TakeOver(partition, epoch, least, token));
    }
  }

  @Override
  public void install(int partition, MarkerState marker, String token) {
    if (connected) {
      calls.add(new Install(partition, marker, token));
    }
  }
}
