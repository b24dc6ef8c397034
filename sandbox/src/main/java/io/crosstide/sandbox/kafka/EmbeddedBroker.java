package io.crosstide.sandbox.kafka;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Kafka broker in this JVM: one KRaft node with its own controller, on loopback.
 *
 * <p>Its directory is formatted on the first start and continued on every later one, also after
 * {@code kill -9} of the JVM ({@link SingleNode} says what that takes). Not restartable in place:
 * after {@link #close()} make a new one on the same directory. Start, close and use from any
 * thread; start and close once.
 */
public final class EmbeddedBroker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedBroker.class);

  private static final Object CONSTRUCTION = new Object();

  private final BrokerConfig config;
  private @Nullable SingleNode server;

  public EmbeddedBroker(BrokerConfig config) {
    this.config = config;
  }

  /** A started broker on free ports: what most tests need. */
  public static EmbeddedBroker startOnFreePorts(int nodeId, Path directory) {
    return new EmbeddedBroker(BrokerConfig.onFreePorts(nodeId, directory)).start();
  }

  /**
   * Starts the broker and returns when it serves clients.
   *
   * @throws SandboxException a port is taken, or the directory cannot be written or belongs to
   *     another node
   */
  public synchronized EmbeddedBroker start() {
    if (server != null) {
      throw new IllegalStateException("Broker " + config.nodeId() + " was started already.");
    }
    BrokerFaults.install();
    requireFreePorts();
    Properties properties = config.toProperties();
    format();
    try {
      SingleNode starting = construct(properties);
      server = starting;
      starting.startup();
    } catch (RuntimeException | BrokerFaults.BrokerFaultError e) {
      closeAfterFailedStart(e);
      throw startFailure(e);
    }
    log.info("Broker {} serves {} from {}", config.nodeId(), bootstrapLan(), config.directory());
    return this;
  }

  /** Address for clients of the same region. */
  public String bootstrapLan() {
    return "127.0.0.1:" + config.lanPort();
  }

  /**
   * Address for clients of {@code peer}: the proxy of the link from there, as the broker advertises
   * it.
   */
  public String bootstrapWan(String peer) {
    BrokerConfig.WanListener listener = config.wanListeners().get(peer);
    if (listener == null) {
      throw new IllegalArgumentException(
          "Broker "
              + config.nodeId()
              + " has no WAN listener for "
              + peer
              + ", only for "
              + config.wanListeners().keySet()
              + ".");
    }
    return listener.advertised().get();
  }

  /**
   * Address for clients of the only peer; use {@link #bootstrapWan(String)} when there are several.
   */
  public String bootstrapWan() {
    if (config.wanListeners().size() != 1) {
      throw new IllegalStateException(
          "Broker "
              + config.nodeId()
              + " has "
              + config.wanListeners().size()
              + " WAN listeners: name the peer, one of "
              + config.wanListeners().keySet()
              + ".");
    }
    return config.wanListeners().values().iterator().next().advertised().get();
  }

  public BrokerConfig config() {
    return config;
  }

  /**
   * Stops the broker and returns when its log is flushed and its ports are free; harmless when
   * repeated.
   */
  @Override
  public synchronized void close() {
    SingleNode running = server;
    server = null;
    if (running != null) {
      running.shutdown();
      log.info("Broker {} stopped", config.nodeId());
    }
  }

  private static SingleNode construct(Properties properties) {
    // Kafka's metrics are one static registry: brokers made at once step on each other there.
    synchronized (CONSTRUCTION) {
      return new SingleNode(KafkaConfig.fromProps(properties, false));
    }
  }

  private void requireFreePorts() {
    requireFree("LAN", config.lanPort());
    requireFree("controller", config.controllerPort());
    config
        .wanListeners()
        .forEach((peer, wan) -> requireFree("WAN listener for " + peer, wan.port()));
  }

  private void requireFree(String what, int port) {
    if (!Ports.becomesFree(port, Ports.PATIENCE)) {
      throw new SandboxException(
          "Port "
              + port
              + " (Kafka broker "
              + config.nodeId()
              + ", "
              + what
              + ") is in use on 127.0.0.1: stop what "
              + "holds it, or start with another --dir.");
    }
  }

  private void format() {
    Path directory = config.directory();
    if (Files.exists(directory.resolve("meta.properties"))) {
      return;
    }
    try {
      Files.createDirectories(directory);
      Formatter formatter = new Formatter();
      formatter.setNodeId(config.nodeId());
      formatter.setClusterId(Uuid.randomUuid().toString());
      formatter.addDirectory(directory.toString());
      formatter.setMetadataLogDirectory(directory.toString());
      formatter.setReleaseVersion(MetadataVersion.latestProduction());
      formatter.setControllerListenerName("CONTROLLER");
      // A format that was cut short by a crash is finished, not refused.
      formatter.setIgnoreFormatted(true);
      formatter.setPrintStream(
          new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
      formatter.run();
    } catch (IOException e) {
      throw new SandboxException(
          "Directory "
              + directory
              + " cannot be written ("
              + e.getMessage()
              + "): choose another with --dir.",
          e);
    } catch (Exception e) {
      throw new SandboxException(
          "Directory "
              + directory
              + " cannot be made a Kafka log directory: "
              + e.getMessage()
              + ".",
          e);
    }
  }

  private void closeAfterFailedStart(Throwable cause) {
    try {
      close();
    } catch (RuntimeException | BrokerFaults.BrokerFaultError e) {
      cause.addSuppressed(e);
    }
  }

  private SandboxException startFailure(Throwable e) {
    for (@Nullable Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof BindException) {
        return new SandboxException(
            "A port of Kafka broker "
                + config.nodeId()
                + " was taken while it started ("
                + t.getMessage()
                + "): start again.",
            e);
      }
    }
    return new SandboxException(
        "Kafka broker "
            + config.nodeId()
            + " in "
            + config.directory()
            + " cannot start: "
            + e.getMessage()
            + ".",
        e);
  }
}
