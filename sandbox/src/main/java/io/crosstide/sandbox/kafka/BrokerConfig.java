package io.crosstide.sandbox.kafka;

import io.crosstide.sandbox.Ports;
import io.crosstide.schemas.Limits;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Settings of one embedded broker.
 *
 * <p>A broker advertises one address per listener. Regions reach each other through their own
 * proxies, so a broker has one WAN listener <em>per region that writes to it</em>, each advertising
 * the proxy of that region's link: a client that bootstraps at a proxy then stays on it.
 *
 * @param nodeId Kafka's node id; distinct for every broker in a JVM, or their metrics clash
 * @param directory holds log and metadata; created when absent
 * @param lanPort port for clients of the same region, on 127.0.0.1
 * @param controllerPort port of the broker's own controller, on 127.0.0.1
 * @param wanListeners by name of the peer region: where the broker listens, and what it advertises
 *     there
 * @param overrides broker properties that win over everything chosen here
 */
public record BrokerConfig(
    int nodeId,
    Path directory,
    int lanPort,
    int controllerPort,
    Map<String, WanListener> wanListeners,
    Map<String, String> overrides) {

  /**
   * Longest transaction, in ms: Kafka Streams may wait for a Redis that is away without losing its
   * transaction.
   */
  public static final int TRANSACTION_TIMEOUT_MILLIS_MAX = 3_600_000;

  /**
   * One WAN listener.
   *
   * @param port where the broker listens, on 127.0.0.1
   * @param advertised {@code host:port} that its clients are told to use; asked once, when the
   *     broker starts
   */
  public record WanListener(int port, Supplier<String> advertised) {
    public WanListener {
      Objects.requireNonNull(advertised, "advertised");
    }
  }

  public BrokerConfig {
    Objects.requireNonNull(directory, "directory");
    wanListeners = Map.copyOf(new LinkedHashMap<>(wanListeners));
    overrides = Map.copyOf(overrides);
  }

  /** A broker on free ports without WAN listeners: what most tests need. */
  public static BrokerConfig onFreePorts(int nodeId, Path directory) {
    int[] ports = Ports.free(2);
    return new BrokerConfig(nodeId, directory, ports[0], ports[1], Map.of(), Map.of());
  }

  /**
   * The same broker with a further WAN listener for {@code peer}, on a free port, advertising
   * {@code advertised}.
   */
  public BrokerConfig withWanListener(String peer, Supplier<String> advertised) {
    return withWanListener(peer, Ports.free(), advertised);
  }

  /**
   * The same broker with a further WAN listener for {@code peer} on {@code port}, advertising
   * {@code advertised}.
   */
  public BrokerConfig withWanListener(String peer, int port, Supplier<String> advertised) {
    Map<String, WanListener> more = new LinkedHashMap<>(wanListeners);
    more.put(peer, new WanListener(port, advertised));
    return new BrokerConfig(nodeId, directory, lanPort, controllerPort, more, overrides);
  }

  /** The same broker with one property set to {@code value}. */
  public BrokerConfig with(String property, String value) {
    Map<String, String> more = new LinkedHashMap<>(overrides);
    more.put(property, value);
    return new BrokerConfig(nodeId, directory, lanPort, controllerPort, wanListeners, more);
  }

  /**
   * Name of the listener that serves {@code peer}'s link: Kafka wants letters, digits and
   * underscores.
   */
  static String listenerName(String peer) {
    StringBuilder name = new StringBuilder("WAN_");
    for (int i = 0; i < peer.length(); i++) {
      char c = peer.charAt(i);
      boolean plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      // Anything else by its code, so that "us-east" and "us_east" stay two listeners.
      name.append(plain ? String.valueOf(Character.toUpperCase(c)) : "_" + (int) c + "_");
    }
    return name.toString();
  }

  Properties toProperties() {
    StringBuilder listeners = new StringBuilder("LAN://127.0.0.1:" + lanPort);
    StringBuilder advertised = new StringBuilder("LAN://127.0.0.1:" + lanPort);
    StringBuilder protocols = new StringBuilder("LAN:PLAINTEXT,CONTROLLER:PLAINTEXT");
    wanListeners.forEach(
        (peer, wan) -> {
          String name = listenerName(peer);
          listeners.append(',').append(name).append("://127.0.0.1:").append(wan.port());
          advertised.append(',').append(name).append("://").append(wan.advertised().get());
          protocols.append(',').append(name).append(":PLAINTEXT");
        });
    listeners.append(",CONTROLLER://127.0.0.1:").append(controllerPort);

    Properties p = new Properties();
    p.setProperty("process.roles", "broker,controller");
    p.setProperty("node.id", String.valueOf(nodeId));
    p.setProperty("log.dirs", directory.toString());
    p.setProperty("listeners", listeners.toString());
    p.setProperty("advertised.listeners", advertised.toString());
    p.setProperty("listener.security.protocol.map", protocols.toString());
    p.setProperty("inter.broker.listener.name", "LAN");
    p.setProperty("controller.listener.names", "CONTROLLER");
    p.setProperty("controller.quorum.voters", nodeId + "@127.0.0.1:" + controllerPort);
    p.setProperty("auto.create.topics.enable", "false");

    // One node: its internal topics have one replica, and a few partitions suffice.
    p.setProperty("offsets.topic.num.partitions", "1");
    p.setProperty("offsets.topic.replication.factor", "1");
    p.setProperty("transaction.state.log.num.partitions", "1");
    p.setProperty("transaction.state.log.replication.factor", "1");
    p.setProperty("transaction.state.log.min.isr", "1");
    p.setProperty("share.coordinator.state.topic.num.partitions", "1");
    p.setProperty("share.coordinator.state.topic.replication.factor", "1");
    p.setProperty("share.coordinator.state.topic.min.isr", "1");
    p.setProperty("transaction.max.timeout.ms", String.valueOf(TRANSACTION_TIMEOUT_MILLIS_MAX));
    p.setProperty("group.initial.rebalance.delay.ms", "0");
    p.setProperty("group.min.session.timeout.ms", "1000");

    // What capture may publish fits, see Limits; anything larger is refused here too.
    p.setProperty("message.max.bytes", String.valueOf(Limits.RECORD_BYTES_MAX));
    p.setProperty("replica.fetch.max.bytes", String.valueOf(Limits.RECORD_BYTES_MAX));
    // Beyond this a broker hangs up without a word: leave room for it to say "too large".
    p.setProperty("socket.request.max.bytes", String.valueOf(2L * Limits.REQUEST_BYTES_MAX));
    // However many connections send one: two are held, further ones wait in their sockets.
    p.setProperty("queued.max.request.bytes", String.valueOf(2L * Limits.REQUEST_BYTES_MAX));
    p.setProperty("socket.send.buffer.bytes", String.valueOf(Limits.SOCKET_BUFFER_BYTES));
    p.setProperty("socket.receive.buffer.bytes", String.valueOf(Limits.SOCKET_BUFFER_BYTES));
    p.setProperty("log.segment.bytes", String.valueOf(256 * 1024 * 1024));
    p.setProperty("log.index.size.max.bytes", String.valueOf(1024 * 1024));
    // A record keeps the time stamped at its origin, also when that region's clock runs ahead of
    // this one's.
    p.setProperty("log.message.timestamp.after.max.ms", String.valueOf(Long.MAX_VALUE));

    // Small: several brokers share a JVM with everything else.
    p.setProperty("num.network.threads", "1");
    p.setProperty("num.io.threads", "2");
    p.setProperty("background.threads", "1");
    // Four each by default, every one of which wakes up several times a second.
    p.setProperty("group.coordinator.threads", "1");
    p.setProperty("share.coordinator.threads", "1");
    p.setProperty("num.recovery.threads.per.data.dir", "1");
    p.setProperty("log.cleaner.threads", "1");
    p.setProperty("log.cleaner.dedupe.buffer.size", String.valueOf(2 * 1024 * 1024));
    p.setProperty("queued.max.requests", "64");
    p.setProperty("metric.reporters", "");
    p.setProperty("metrics.jmx.exclude", ".*");
    // A node that is fenced while it lives, as after a pause, would leave its partitions without a
    // leader, which its transactions do not survive, see SingleNode; nobody else could take over.
    p.setProperty("broker.session.timeout.ms", String.valueOf(TimeUnit.DAYS.toMillis(1)));
    p.setProperty("controlled.shutdown.enable", "false");
    p.setProperty("broker.heartbeat.interval.ms", "500");
    // The controller's empty records, twice a second by default, would keep an idle sandbox busy.
    p.setProperty("metadata.max.idle.interval.ms", "5000");
    overrides.forEach(p::setProperty);
    return p;
  }
}
