package io.crosstide.sandbox;

import io.crosstide.sandbox.kafka.BrokerConfig;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.sandbox.wan.WanLink;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One region of a sandbox: its broker, its Redis, its ways to the other regions, and where its
 * stages may keep their state. Safe for use by several threads.
 */
public final class SandboxRegion {
  private final String name;
  private final int id;
  private final Path directory;
  private final RedisProcess redis;
  private final BrokerConfig brokerConfig;
  private final Map<String, WanLink> linksOut;
  private @Nullable EmbeddedBroker broker;

  SandboxRegion(
      String name,
      int id,
      Path directory,
      RedisProcess redis,
      BrokerConfig brokerConfig,
      Map<String, WanLink> linksOut) {
    this.name = name;
    this.id = id;
    this.directory = directory;
    this.redis = redis;
    this.brokerConfig = brokerConfig;
    this.linksOut = Map.copyOf(linksOut);
  }

  public String name() {
    return name;
  }

  public int id() {
    return id;
  }

  /** The region's Redis; a test may kill and start it. */
  public RedisProcess redis() {
    return redis;
  }

  public String redisUri() {
    return redis.uri();
  }

  /** Address of the region's Kafka for clients in the region. */
  public String kafkaBootstrap() {
    return "127.0.0.1:" + brokerConfig.lanPort();
  }

  /** Address of {@code other}'s Kafka for clients in this region: through the emulated WAN. */
  public String kafkaBootstrapOf(String other) {
    WanLink link = linksOut.get(other);
    if (link == null) {
      throw new IllegalArgumentException(
          "Region " + name + " has no link to " + other + ", only to " + linksOut.keySet() + ".");
    }
    return link.address();
  }

  /** Where capture keeps its shadow and position. */
  public Path captureDirectory() {
    return directory.resolve("capture");
  }

  /** Where streams keeps its stores. */
  public Path streamsDirectory() {
    return directory.resolve("streams");
  }

  /** Starts the broker, at first or after {@link #stopBroker()}; returns when it serves clients. */
  public synchronized void startBroker() {
    if (broker != null) {
      throw new IllegalStateException("The broker of " + name + " runs already.");
    }
    broker = new EmbeddedBroker(brokerConfig).start();
  }

  /** Stops the broker; harmless when it does not run. */
  public synchronized void stopBroker() {
    EmbeddedBroker running = broker;
    broker = null;
    if (running != null) {
      running.close();
    }
  }
}
