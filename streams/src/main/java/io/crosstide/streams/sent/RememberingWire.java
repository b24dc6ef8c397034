package io.crosstide.streams.sent;

import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.SentBatch;
import io.crosstide.streams.owner.OwnerWire;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * A connection to Redis that lets a batch pass only when Kafka has acknowledged that it is
 * remembered (P7). Calls keep their order: what follows an unacknowledged batch waits with it.
 *
 * <p>A batch that is sent again is not appended again. When this process dies, what was appended
 * and not sent is known never to have been applied, because the next owner's first batch names the
 * last effect that was.
 *
 * <p>If Kafka refuses a batch, {@link #drain} throws: the owner cannot go on and is begun anew.
 */
public final class RememberingWire implements OwnerWire {
  /** Offsets are noted no more often than this: milliseconds. */
  private static final long MARK_MILLIS = 1_000;

  // Threads: calls come from the owner's thread, acknowledgements from the producer's. Whatever
  // goes
  // to the wire goes there under the lock, so that no thread overtakes the other.

  private final SentEffectsTopic topic;
  private final OwnerWire wire;
  private final Runnable wakeUp;
  private final LongSupplier clock;
  private final Object lock = new Object();
  private final Deque<Call> waiting = new ArrayDeque<>();
  private final Deque<Mark> marks = new ArrayDeque<>();
  private boolean connected;
  private int epoch = -1;
  private long appended;
  private long acknowledged;
  private volatile @Nullable Exception refusal;

  /**
   * @param batch null for a call about the marker
   * @param run passes the call on
   */
  private record Call(@Nullable EffectBatch batch, Runnable run) {}

  /** Everything before {@code offset} is of batches up to {@code number}. */
  private record Mark(Fx number, int partition, long offset, long millis) {}

  /**
   * @param clock wall clock, milliseconds
   */
  public RememberingWire(
      SentEffectsTopic topic,
      Opener opener,
      Runnable wakeUp,
      Runnable routine,
      LongSupplier clock) {
    this.topic = topic;
    this.wakeUp = wakeUp;
    this.clock = clock;
    wire = opener.open(wakeUp, routine);
  }

  /** Connections that remember in {@code topic} what goes through them. */
  public static Opener over(SentEffectsTopic topic, Opener opener, LongSupplier clock) {
    return (wakeUp, routine) -> new RememberingWire(topic, opener, wakeUp, routine, clock);
  }

  @Override
  public void send(EffectBatch batch) {
    boolean isNew;
    synchronized (lock) {
      if (!connected) {
        return;
      }
      if (batch.epoch() != epoch) {
        epoch = batch.epoch();
        appended = 0;
        acknowledged = 0;
      }
      isNew = batch.last() > appended;
      if (isNew) {
        appended = batch.last();
      }
      enqueue(new Call(batch, () -> wire.send(batch)));
    }
    if (isNew) {
      // Without the lock: it may wait for memory that only acknowledgements free.
      append(batch);
    }
  }

  private void append(EffectBatch batch) {
    topic.append(
        batch.partition(),
        SentBatch.of(batch).encode(),
        (metadata, problem) -> {
          if (problem == null) {
            acknowledged(batch, metadata);
          } else {
            refusal = problem;
            wakeUp.run();
          }
        });
  }

  private void acknowledged(EffectBatch batch, RecordMetadata metadata) {
    synchronized (lock) {
      if (batch.epoch() != epoch) {
        return;
      }
      acknowledged = batch.last();
      long now = clock.getAsLong();
      Mark last = marks.peekLast();
      if (last == null || now - last.millis() >= MARK_MILLIS) {
        marks.addLast(
            new Mark(new Fx(epoch, batch.last()), batch.partition(), metadata.offset() + 1, now));
      }
      pass();
    }
  }

  @Override
  public void takeOver(int partition, int newEpoch, Fx least, String token) {
    marker(() -> wire.takeOver(partition, newEpoch, least, token));
  }

  @Override
  public void install(int partition, MarkerState marker, String token) {
    marker(() -> wire.install(partition, marker, token));
  }

  private void marker(Runnable run) {
    synchronized (lock) {
      if (connected) {
        enqueue(new Call(null, run));
      }
    }
  }

  private void enqueue(Call call) {
    waiting.addLast(call);
    pass();
  }

  /** Passes on what may be. */
  private void pass() {
    for (Call call = waiting.peekFirst(); call != null; call = waiting.peekFirst()) {
      EffectBatch batch = call.batch();
      if (batch != null && batch.epoch() == epoch && batch.last() > acknowledged) {
        return;
      }
      waiting.removeFirst();
      call.run().run(); // of an earlier epoch: Redis refuses it
    }
  }

  /**
   * Capture has passed {@code number}: what was sent up to there need not be remembered for much
   * longer.
   */
  @Override
  public void shown(Fx number) {
    synchronized (lock) {
      long old = clock.getAsLong() - SentEffectsTopic.KEEP.toMillis();
      Mark passed = null;
      for (Mark mark = marks.peekFirst();
          mark != null && mark.number().atMost(number) && mark.millis() <= old;
          mark = marks.peekFirst()) {
        passed = marks.removeFirst();
      }
      if (passed != null) {
        topic.release(passed.partition(), passed.offset());
      }
    }
  }

  @Override
  public boolean drain(Listener listener) {
    Exception problem = refusal;
    if (problem != null) {
      throw new KafkaException("effects could not be remembered, so none are sent", problem);
    }
    return wire.drain(new Connections(listener));
  }

  @Override
  public boolean hasEvents() {
    return refusal != null || wire.hasEvents();
  }

  @Override
  public void close() {
    synchronized (lock) {
      connected = false;
      waiting.clear();
    }
    wire.close();
  }

  /** Forgets what waits when the connection is gone: the owner sends again what it needs. */
  private final class Connections implements Listener {
    private final Listener listener;

    Connections(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void onConnected() {
      connected(true);
      listener.onConnected();
    }

    @Override
    public void onDisconnected() {
      connected(false);
      listener.onDisconnected();
    }

    private void connected(boolean is) {
      synchronized (lock) {
        connected = is;
        waiting.clear();
      }
    }

    @Override
    public void onReply(EffectBatch batch, BatchReply reply) {
      listener.onReply(batch, reply);
    }

    @Override
    public void onRefused(EffectBatch batch, String error) {
      listener.onRefused(batch, error);
    }

    @Override
    public void onMarker(int partition, @Nullable MarkerState marker) {
      listener.onMarker(partition, marker);
    }

    @Override
    public void onMarkerRefused(int partition, String error) {
      listener.onMarkerRefused(partition, error);
    }
  }
}
