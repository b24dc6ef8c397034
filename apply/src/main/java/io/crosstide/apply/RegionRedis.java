package io.crosstide.apply;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Everything this process shares towards one region's Redis: threads, settings, and the connections
 * opened with them. Closing it closes those.
 */
public final class RegionRedis implements AutoCloseable {
  /** Above what one owner ever has in flight; a guard against a mistake, not a queue. */
  private static final int REQUESTS_MAX = 10_000;

  /** How long a connection may take to close before it is left to the client's shutdown. */
  private static final long CLOSE_MILLIS = 1000;

  private final ApplyConfig config;
  private final ApplyMetrics metrics;
  private final ClientResources resources;
  private final RedisClient client;
  private final Set<LettuceEffectWire> wires = ConcurrentHashMap.newKeySet();

  /** Starts the threads; connects to nothing yet. */
  public RegionRedis(ApplyConfig config, ApplyMetrics metrics) {
    this.config = config;
    this.metrics = metrics;
    this.resources =
        DefaultClientResources.builder()
            .ioThreadPoolSize(config.ioThreads())
            .computationThreadPoolSize(2)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .build();
    this.client = RedisClient.create(resources, uri());
    client.setOptions(options(config));
  }

  private static ClientOptions options(ApplyConfig config) {
    ClientOptions.Builder options =
        ClientOptions.builder()
            // Lettuce's own reconnecting would send commands again by its own rules; ours are P1.
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .protocolVersion(ProtocolVersion.RESP2)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .requestQueueSize(REQUESTS_MAX)
            .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
            .socketOptions(
                SocketOptions.builder()
                    .connectTimeout(config.connectTimeout())
                    .keepAlive(true)
                    .tcpNoDelay(true)
                    .build());
    return options.sslOptions(ssl(config.redis())).build();
  }

  private static SslOptions ssl(RedisEndpoint redis) {
    SslOptions.Builder options = SslOptions.builder();
    Path caFile = redis.caFile();
    if (caFile != null) {
      options.trustManager(caFile.toFile());
    }
    Path certFile = redis.certFile();
    Path keyFile = redis.keyFile();
    if (certFile != null && keyFile != null) {
      options.keyManager(certFile.toFile(), keyFile.toFile(), new char[0]);
    }
    return options.build();
  }

  private RedisURI uri() {
    return config.redis().uri(config.connectTimeout());
  }

  /** As {@link #openWire(Runnable, Runnable)}, with all answers alike. */
  public LettuceEffectWire openWire(Runnable wakeUp) {
    return openWire(wakeUp, wakeUp);
  }

  /**
   * A wire for one owner; it starts to connect at once and keeps trying until closed.
   *
   * @param wakeUp called from an I/O thread when {@link LettuceEffectWire#drain} has something to
   *     do; must return at once
   * @param routine called instead when it is only that a batch has been applied as planned
   */
  public LettuceEffectWire openWire(Runnable wakeUp, Runnable routine) {
    LettuceEffectWire wire =
        new LettuceEffectWire(
            client, uri(), resources, config, metrics, wakeUp, routine, wires::remove);
    wires.add(wire);
    wire.start();
    return wire;
  }

  /** Why an owner is without a connection, in a sentence; null if none is. */
  public @Nullable String trouble() {
    for (LettuceEffectWire wire : wires) {
      String trouble = wire.trouble();
      if (trouble != null) {
        return trouble;
      }
    }
    return null;
  }

  @Override
  public void close() {
    List<LettuceEffectWire> open = List.copyOf(wires);
    open.forEach(LettuceEffectWire::close);
    open.forEach(wire -> wire.awaitClosed(CLOSE_MILLIS));
    client.shutdown(0, 2, TimeUnit.SECONDS);
    resources.shutdown(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
  }
}
