package io.crosstide.sandbox.wan;

import io.crosstide.sandbox.Ports;
import java.net.InetSocketAddress;

/**
 * A proxy through which clients of region {@code from} reach a server of region {@code to}.
 *
 * <p>Its outward lane (from → to) carries what the clients send, its homeward lane (to → from) the
 * answers. The lanes belong to the pair of regions and are shared with the proxy of the opposite
 * direction. Obtained from {@link WanEmulator#open}; safe for use by several threads.
 */
public final class WanLink {
  private final String from;
  private final String to;
  private final int port;
  private final InetSocketAddress target;
  private final Lane outward;
  private final Lane homeward;
  private volatile boolean silent;
  private volatile int connections;

  WanLink(String from, String to, int port, int targetPort, Lane outward, Lane homeward) {
    this.from = from;
    this.to = to;
    this.port = port;
    this.target = Ports.address(targetPort);
    this.outward = outward;
    this.homeward = homeward;
  }

  public String from() {
    return from;
  }

  public String to() {
    return to;
  }

  /** Where clients of {@code from} connect, as {@code 127.0.0.1:port}. */
  public String address() {
    return "127.0.0.1:" + port;
  }

  /** Connections open now. */
  public int connections() {
    return connections;
  }

  /** State and counters of this moment. */
  public WanLinkState state() {
    return new WanLinkState(
        from,
        to,
        address(),
        outward.isCut(),
        outward.delayNanos() / 1_000_000.0,
        outward.bytesPerSecond(),
        connections,
        outward.delivered());
  }

  /** Port on which {@link #address()} listens. */
  public int port() {
    return port;
  }

  InetSocketAddress target() {
    return target;
  }

  Lane outwardLane() {
    return outward;
  }

  Lane homewardLane() {
    return homeward;
  }

  boolean isCut() {
    return outward.isCut() || homeward.isCut();
  }

  /** Whether open connections stay, but carry nothing. */
  boolean isSilenced() {
    return silent && isCut();
  }

  void silent(boolean isSilent) {
    silent = isSilent;
  }

  void connections(int count) {
    connections = count;
  }

  @Override
  public String toString() {
    return from + "->" + to;
  }
}
