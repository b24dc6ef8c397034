package io.crosstide.sandbox;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Free TCP ports on the loopback address.
 *
 * <p>They are drawn from below the range that operating systems hand out for outgoing connections
 * (Linux starts at 32768, macOS at 49152): a port that is merely free now would otherwise often be
 * taken by somebody's client between the choice and the broker's bind, and a port kept in a sandbox
 * directory must still be free days later. For the same reason no port is given out twice in one
 * process while others are left: who got it may not have bound it yet.
 */
public final class Ports {
  /** How long a server waits for its port before it says that somebody else has it. */
  public static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final int HIGHEST = belowOutgoing();
  private static final int LOWEST = HIGHEST > 24_000 ? 20_000 : 10_000;
  private static final int ATTEMPTS = 2_000;
  private static final Duration RETRY = Duration.ofMillis(20);

  /** Ports that this process has given out, counted from {@link #LOWEST}. */
  private static final BitSet GIVEN = new BitSet(HIGHEST - LOWEST + 1);

  private Ports() {}

  /** Distinct ports that were free at the moment of the call. */
  public static int[] free(int count) {
    List<ServerSocket> held = new ArrayList<>(count);
    int[] ports = new int[count];
    try {
      for (int i = 0; i < count; i++) {
        ServerSocket socket = bindSomewhere();
        held.add(socket);
        ports[i] = socket.getLocalPort();
      }
      return ports;
    } finally {
      for (ServerSocket socket : held) {
        closeQuietly(socket);
      }
    }
  }

  /** One port that was free at the moment of the call. */
  public static int free() {
    return free(1)[0];
  }

  /**
   * Waits up to {@code patience} for somebody to be able to listen on {@code 127.0.0.1:port}: a
   * connection of somebody else's may end any moment, and so may a predecessor.
   *
   * @return whether it is free now
   */
  public static boolean becomesFree(int port, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!isFree(port)) {
      if (System.nanoTime() - deadline >= 0 || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(RETRY.toNanos());
    }
    return true;
  }

  /** Whether somebody could listen on {@code 127.0.0.1:port} now. */
  public static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      // As brokers, Redis and the proxies do: connections of a predecessor in TIME_WAIT do not
      // count.
      socket.setReuseAddress(true);
      socket.bind(address(port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }

  /**
   * {@code 127.0.0.1:port}, which is what the sandbox binds and connects to, on IPv6-preferring
   * machines too.
   */
  public static InetSocketAddress address(int port) {
    return new InetSocketAddress(loopback(), port);
  }

  private static InetAddress loopback() {
    try {
      return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    } catch (UnknownHostException impossible) {
      throw new AssertionError("four bytes are an address", impossible);
    }
  }

  private static ServerSocket bindSomewhere() {
    @Nullable IOException last = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int port = draw();
      try {
        return new ServerSocket(port, 1, loopback());
      } catch (IOException taken) {
        last = taken;
      }
    }
    throw new SandboxException(
        "No free TCP port found between "
            + LOWEST
            + " and "
            + HIGHEST
            + " on 127.0.0.1: stop what holds them.",
        last);
  }

  /** The highest port below those that this machine uses for outgoing connections. */
  private static int belowOutgoing() {
    int usual = 32_767;
    try {
      String range = Files.readString(Path.of("/proc/sys/net/ipv4/ip_local_port_range")).strip();
      int first = Integer.parseInt(range.split("\\s+", 2)[0]);
      // With almost every port outgoing there is nothing better than a guess.
      return first > 12_000 ? Math.min(usual, first - 1) : usual;
    } catch (IOException | NumberFormatException notLinux) {
      return usual;
    }
  }

  private static int draw() {
    int ports = HIGHEST - LOWEST + 1;
    synchronized (GIVEN) {
      if (GIVEN.cardinality() == ports) {
        GIVEN.clear();
      }
      int drawn = ThreadLocalRandom.current().nextInt(ports);
      int next = GIVEN.nextClearBit(drawn);
      int offset = next < ports ? next : GIVEN.nextClearBit(0);
      GIVEN.set(offset);
      return LOWEST + offset;
    }
  }

  private static void closeQuietly(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new SandboxException(
          "A probing socket on port " + socket.getLocalPort() + " cannot be closed.", e);
    }
  }
}
