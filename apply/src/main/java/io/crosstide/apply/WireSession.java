package io.crosstide.apply;

import io.crosstide.apply.lua.LuaScript;
import io.crosstide.apply.lua.ScriptCall;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.NestedMultiOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection from its opening to its end: loads the scripts, sends calls in order, and ends as
 * soon as anything about it is not as expected, since sending again is always safe and going on
 * with a gap never is.
 */
final class WireSession implements RedisConnectionStateListener {
  private static final Logger LOG = LoggerFactory.getLogger(WireSession.class);

  private enum State {
    OPENING,
    READY,
    ENDED
  }

  /** Told once, when the session has ended. */
  interface EndListener {
    void ended(WireSession session, boolean wasReady, boolean stalled, String reason);
  }

  /** Told what a script returned. */
  interface ReplyListener {
    void replied(List<Object> reply, long latencyNanos);
  }

  private final StatefulRedisConnection<byte[], byte[]> connection;
  private final ApplyConfig config;
  private final long stallMillis;
  private final EndListener endListener;
  private final AtomicReference<State> state = new AtomicReference<>(State.OPENING);
  private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
  private final AtomicInteger inFlight = new AtomicInteger();
  private volatile long lastProgressNanos = System.nanoTime();
  private volatile @Nullable ScheduledFuture<?> stallCheck;

  WireSession(
      StatefulRedisConnection<byte[], byte[]> connection,
      ApplyConfig config,
      long stallMillis,
      EndListener endListener) {
    this.connection = connection;
    this.config = config;
    this.stallMillis = stallMillis;
    this.endListener = endListener;
  }

  /** Loads the scripts, then runs {@code whenReady}. */
  void start(Runnable whenReady) {
    connection.addListener(this);
    long period = Math.max(1, stallMillis / 4);
    stallCheck =
        connection
            .getResources()
            .eventExecutorGroup()
            .scheduleWithFixedDelay(this::checkStall, period, period, TimeUnit.MILLISECONDS);
    load(LuaScript.MARKER, () -> {});
    load(
        LuaScript.EFFECT_BATCH,
        () -> {
          if (state.compareAndSet(State.OPENING, State.READY)) {
            whenReady.run();
          }
        });
    if (!connection.isOpen()) {
      close("closed the connection at once");
    }
  }

  private void load(LuaScript script, Runnable whenLoaded) {
    dispatch(
        CommandType.SCRIPT,
        new StatusOutput<>(ByteArrayCodec.INSTANCE),
        new CommandArgs<>(ByteArrayCodec.INSTANCE).add("LOAD").add(script.text()),
        (reply, nanos) -> whenLoaded.run(),
        error -> close("refuses to load a script: " + error));
  }

  /**
   * @param onRefused given the error, its code word first
   */
  void call(LuaScript script, ScriptCall call, ReplyListener onReply, Consumer<String> onRefused) {
    CommandArgs<byte[], byte[]> args =
        new CommandArgs<>(ByteArrayCodec.INSTANCE).add(script.sha1()).add(call.keys().size());
    for (byte[] key : call.keys()) {
      args.add(key);
    }
    for (byte[] argument : call.arguments()) {
      args.add(argument);
    }
    dispatch(
        CommandType.EVALSHA,
        new NestedMultiOutput<>(ByteArrayCodec.INSTANCE),
        args,
        onReply::replied,
        error -> {
          if (RedisRefusal.code(error).equals(RedisRefusal.NOSCRIPT)) {
            LOG.info("{}: Redis has forgotten our script; loading it again", config.region());
            load(script, () -> {});
          }
          onRefused.accept(error);
        });
  }

  private interface Completion<T> {
    void completed(T reply, long latencyNanos);
  }

  private <T> void dispatch(
      CommandType type,
      CommandOutput<byte[], byte[], T> output,
      CommandArgs<byte[], byte[]> args,
      Completion<T> onReply,
      Consumer<String> onRefused) {
    AsyncCommand<byte[], byte[], T> command = new AsyncCommand<>(new Command<>(type, output, args));
    long sent = System.nanoTime();
    if (inFlight.getAndIncrement() == 0) {
      lastProgressNanos = sent;
    }
    Object unused =
        command.handle(
            (reply, error) -> {
              long now = System.nanoTime();
              lastProgressNanos = now;
              inFlight.decrementAndGet();
              try {
                if (error == null) {
                  onReply.completed(reply, now - sent);
                } else {
                  failed(error, onRefused);
                }
              } catch (RuntimeException e) {
                // It would vanish in the future, and with it the answer.
                LOG.error("{}: a reply could not be handed on", config.region(), e);
                close("gave a reply that could not be handed on");
              }
              return null;
            });
    try {
      connection.dispatch(command);
    } catch (RuntimeException e) {
      close("takes no call: " + e);
    }
  }

  private void failed(Throwable error, Consumer<String> onRefused) {
    Throwable cause =
        error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    if (cause instanceof RedisCommandExecutionException) {
      String message = cause.getMessage();
      onRefused.accept(RedisRefusal.normalise(message == null ? "ERR" : message));
    } else {
      close("lost a call: " + cause);
    }
  }

  private void checkStall() {
    long quiet = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastProgressNanos);
    if (inFlight.get() > 0 && quiet > stallMillis) {
      end(true, "has not answered for " + quiet + " ms");
    }
  }

  @Override
  public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
    close("closed the connection");
  }

  /** Completes when the connection is gone. */
  Future<?> closed() {
    return closed;
  }

  boolean isEnded() {
    return state.get() == State.ENDED;
  }

  /** Ends the session; what is in flight is never answered. */
  void close(String reason) {
    end(false, reason);
  }

  private void end(boolean stalled, String reason) {
    State before = state.getAndSet(State.ENDED);
    if (before == State.ENDED) {
      return;
    }
    ScheduledFuture<?> check = stallCheck;
    if (check != null) {
      check.cancel(false);
    }
    CompletableFuture<Void> closing = connection.closeAsync();
    Object unused = closing.whenComplete((nothing, error) -> closed.complete(null));
    endListener.ended(this, before == State.READY, stalled, reason);
  }
}
