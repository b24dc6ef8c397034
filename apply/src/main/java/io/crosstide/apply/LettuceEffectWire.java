package io.crosstide.apply;

import io.crosstide.apply.lua.BatchEncoder;
import io.crosstide.apply.lua.LuaScript;
import io.crosstide.apply.lua.MarkerEncoder;
import io.crosstide.apply.lua.ReplyDecoder;
import io.crosstide.apply.lua.ScriptCall;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.lettuce.core.ConnectionFuture;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One owner's connection to its region's Redis, which it opens again by itself whenever it is lost.
 *
 * <p>One thread at a time calls {@link #send}, {@link #takeOver} and {@link #install}, the owner's
 * {@link #drain}; nothing of them waits. What Redis answers is queued by an I/O thread and handed
 * to the listener only inside {@link #drain}, in the order of the calls. The queue holds at most
 * one entry per call in flight, so the owner's window bounds it.
 *
 * <p>When the process dies, or the connection, some batches sent may have been applied and some
 * not; the owner sends all unacknowledged ones again, and the script applies each exactly once.
 *
 * <p>A Redis that has forgotten the script ({@code SCRIPT FLUSH}) is taught it again at once; the
 * batches it refused meanwhile are reported by {@link EffectWire.Listener#onRefused} with {@code
 * NOSCRIPT} and can be sent again immediately.
 */
public final class LettuceEffectWire implements EffectWire, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LettuceEffectWire.class);

  private static final int STALL_DOUBLINGS_MAX = 5;

  /** Of batches refused by the marker, one is told of in this time. */
  private static final long REFUSAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final long NONE_TOLD = -1;

  // Threads: `current` is written by the owner's thread only. Everything that happens to a session
  // happens
  // in I/O threads and reaches the owner as an event that names its session. The owner sends only
  // to the session whose onConnected it has been given, so nothing overtakes what it sends again.

  private final RedisClient client;
  private final RedisURI uri;
  private final ClientResources resources;
  private final ApplyConfig config;
  private final ApplyMetrics metrics;
  private final Runnable wakeUp;
  private final Runnable routine;
  private final Consumer<LettuceEffectWire> whenClosed;

  private final Queue<Event> events = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile @Nullable WireSession current;
  private volatile @Nullable WireSession open;
  private volatile @Nullable Future<?> reconnect;
  private volatile @Nullable Future<?> closing;
  private volatile @Nullable String trouble;
  private volatile int failures;
  private volatile long openedNanos;

  /**
   * How often in a row Redis was given up while it owed a batch's reply. Each time it gets twice as
   * long: a value of hundreds of megabytes may simply take it so.
   */
  private volatile int stalls;

  /** The owner's thread's, as is when the last was told. */
  private long refusalsUntold = NONE_TOLD;

  private long refusalToldNanos;

  LettuceEffectWire(
      RedisClient client,
      RedisURI uri,
      ClientResources resources,
      ApplyConfig config,
      ApplyMetrics metrics,
      Runnable wakeUp,
      Runnable routine,
      Consumer<LettuceEffectWire> whenClosed) {
    this.client = client;
    this.uri = uri;
    this.resources = resources;
    this.config = config;
    this.metrics = metrics;
    this.wakeUp = wakeUp;
    this.routine = routine;
    this.whenClosed = whenClosed;
  }

  /** Something that happened in an I/O thread, to be told to the owner. */
  private interface Event {
    void deliver(Listener listener);
  }

  void start() {
    connect();
  }

  @Override
  public void send(EffectBatch batch) {
    WireSession session = current;
    if (session == null) {
      return;
    }
    ScriptCall call = BatchEncoder.encode(batch);
    session.call(
        LuaScript.EFFECT_BATCH,
        call,
        (reply, nanos) -> {
          stalls = 0;
          post(
              session,
              listener -> replied(listener, batch, reply, nanos),
              ReplyDecoder.isRoutine(reply) ? routine : wakeUp);
        },
        error -> post(session, listener -> refused(listener, batch, error)));
  }

  @Override
  public void takeOver(int partition, int epoch, Fx least, String token) {
    marker(partition, MarkerEncoder.takeOver(partition, epoch, least, token));
  }

  @Override
  public void install(int partition, MarkerState marker, String token) {
    marker(partition, MarkerEncoder.install(partition, marker, token));
  }

  private void marker(int partition, ScriptCall call) {
    WireSession session = current;
    if (session == null) {
      return;
    }
    session.call(
        LuaScript.MARKER,
        call,
        (reply, nanos) ->
            post(
                session,
                listener -> listener.onMarker(partition, MarkerEncoder.decode(bytes(reply)))),
        error ->
            post(
                session,
                listener -> {
                  metrics.refused(error);
                  listener.onMarkerRefused(partition, error);
                }));
  }

  /**
   * Hands everything that Redis has answered since the last call to {@code listener}, which may
   * send. Only for the owner's thread.
   *
   * @return whether there was anything
   */
  public boolean drain(Listener listener) {
    boolean any = false;
    for (Event event = events.poll(); event != null; event = events.poll()) {
      any = true;
      event.deliver(listener);
    }
    return any;
  }

  /** Why there is no connection, in a sentence; null if there is one, or none was tried yet. */
  @Nullable String trouble() {
    return trouble;
  }

  /** Whether {@link #drain} has something to do; for any thread. */
  public boolean hasEvents() {
    return !events.isEmpty();
  }

  /** Gives the connection up for good. Calls not yet answered may or may not be applied. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Future<?> attempt = reconnect;
      if (attempt != null) {
        attempt.cancel(false);
      }
      WireSession session = open;
      if (session != null) {
        session.close("the owner gave the partition up");
        closing = session.closed();
      }
      whenClosed.accept(this);
    }
  }

  /** Waits, but not for long, until a closed wire's connection is gone. */
  void awaitClosed(long timeoutMillis) {
    Future<?> gone = closing;
    if (gone == null) {
      return;
    }
    try {
      gone.get(timeoutMillis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("{}: a connection would not close", config.region(), e);
    }
  }

  private void replied(Listener listener, EffectBatch batch, List<Object> reply, long nanos) {
    BatchReply decoded = ReplyDecoder.decode(batch, reply);
    metrics.replied(batch.size(), decoded, nanos);
    String marker = ReplyDecoder.markerOf(reply);
    if (marker != null) {
      tellRefusal(batch, decoded, marker);
    }
    listener.onReply(batch, decoded);
  }

  /** Until the owner has taken its marker back, which is soon, all it has sent is refused so. */
  private void tellRefusal(EffectBatch batch, BatchReply reply, String marker) {
    long now = System.nanoTime();
    boolean remarkable = refusalsUntold == NONE_TOLD || now - refusalToldNanos >= REFUSAL_NANOS;
    if (!remarkable) {
      refusalsUntold++;
      return;
    }
    LOG.info(
        "{}: batch {}:{}..{} of partition {} is refused as {}: the marker is of {}; {} more since"
            + " the last one told",
        config.region(),
        batch.epoch(),
        batch.first(),
        batch.last(),
        batch.partition(),
        reply.outcome(),
        marker,
        Math.max(0, refusalsUntold));
    refusalToldNanos = now;
    refusalsUntold = 0;
  }

  private void refused(Listener listener, EffectBatch batch, String error) {
    metrics.refused(error);
    listener.onRefused(batch, error);
  }

  private static List<byte[]> bytes(List<Object> reply) {
    List<byte[]> bytes = new ArrayList<>(reply.size());
    for (Object part : reply) {
      bytes.add((byte[]) part);
    }
    return bytes;
  }

  private void post(WireSession session, Event event) {
    post(session, event, wakeUp);
  }

  private void post(WireSession session, Event event, Runnable notice) {
    events.add(
        listener -> {
          if (session == current) {
            event.deliver(listener);
          }
        });
    notice.run();
  }

  private void enqueue(Event event) {
    events.add(event);
    wakeUp.run();
  }

  // Connecting. All of it in I/O threads; at most one attempt or one open session at a time.

  private void connect() {
    if (closed.get()) {
      return;
    }
    try {
      ConnectionFuture<StatefulRedisConnection<byte[], byte[]>> connecting =
          client.connectAsync(ByteArrayCodec.INSTANCE, uri);
      Object unused =
          connecting.handle(
              (connection, error) -> {
                if (error != null) {
                  retry("cannot be reached", error);
                } else {
                  prepare(connection);
                }
                return null;
              });
    } catch (RuntimeException e) {
      retry("cannot be reached", e);
    }
  }

  private void prepare(StatefulRedisConnection<byte[], byte[]> connection) {
    WireSession session =
        new WireSession(connection, config, config.stallTimeout().toMillis() << stalls, this::lost);
    open = session;
    if (closed.get()) {
      session.close("the owner gave the partition up");
      return;
    }
    session.start(() -> opened(session));
  }

  private void opened(WireSession session) {
    openedNanos = System.nanoTime();
    metrics.connected();
    trouble = null;
    LOG.info("{}: connected to {}", config.region(), config.redis());
    enqueue(
        listener -> {
          // One that has ended meanwhile may have had its end queued before this.
          if (!session.isEnded()) {
            current = session;
            listener.onConnected();
          }
        });
  }

  /** Called once for every session that ends, whether it ever became ready or not. */
  private void lost(WireSession session, boolean wasReady, boolean stalled, String reason) {
    open = null;
    if (stalled) {
      stalls = Math.min(stalls + 1, STALL_DOUBLINGS_MAX);
    }
    if (wasReady) {
      if (System.nanoTime() - openedNanos > config.reconnectDelayMax().toNanos()) {
        failures = 0; // it worked for a while, so this is not another failure of the same kind
      }
      metrics.disconnected();
      enqueue(
          listener -> {
            if (session == current) {
              current = null;
              listener.onDisconnected();
            }
          });
    }
    retry(reason, null);
  }

  private void retry(String reason, @Nullable Throwable error) {
    if (closed.get()) {
      return;
    }
    String problem = reason + (error == null ? "" : ": " + rootMessage(error));
    trouble = "Redis at " + config.redis() + " " + problem;
    int attempt = failures;
    failures = attempt + 1;
    long min = config.reconnectDelayMin().toMillis();
    long max = config.reconnectDelayMax().toMillis();
    long delay = Math.min(max, min << Math.min(attempt, 20));
    if (attempt == 0 || delay < max) {
      LOG.warn("{}: {} {}; trying again in {} ms", config.region(), config.redis(), problem, delay);
    }
    reconnect =
        resources.eventExecutorGroup().schedule(this::connect, delay, TimeUnit.MILLISECONDS);
  }

  private static String rootMessage(Throwable error) {
    Throwable root = error;
    boolean tls = root instanceof SSLException;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
      tls |= root instanceof SSLException;
    }
    String message = root.getMessage();
    String text = message == null ? root.getClass().getSimpleName() : message;
    return tls ? "TLS failed, check the certificates: " + text : text;
  }
}
