package io.crosstide.sandbox;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Free TCP ports on the loopback address.
 *
 * <p>They are drawn from below the range that operating systems hand out for outgoing connections
 * (Linux starts at 32768, macOS at 49152): a port that is merely free now would otherwise often be
 * taken by somebody's client between the choice and the broker's bind, and a port kept in a sandbox
 * directory must still be free days later.
 */
public final class Ports {
  private static final int LOWEST = 20_000;
  private static final int HIGHEST = 32_767;
  private static final int ATTEMPTS = 2_000;

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
      int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST + 1);
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

  private static void closeQuietly(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new SandboxException(
          "A probing socket on port " + socket.getLocalPort() + " cannot be closed.", e);
    }
  }
}
