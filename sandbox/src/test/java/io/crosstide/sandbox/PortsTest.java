package io.crosstide.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class PortsTest {
  /** Two thousand of some thirteen thousand: by chance alone some would come twice. */
  @Test
  void noPortIsGivenOutTwice() {
    Set<Integer> given = new HashSet<>();
    for (int i = 0; i < 2_000; i++) {
      assertThat(given.add(Ports.free())).isTrue();
    }
  }

  @Test
  void waitsForWhoHoldsThePort() throws Exception {
    try (ServerSocket holder = hold(Ports.free())) {
      int port = holder.getLocalPort();
      assertThat(Ports.becomesFree(port, Duration.ZERO)).isFalse();
      CompletableFuture<Void> end =
          CompletableFuture.runAsync(
              () -> close(holder), CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS));
      assertThat(Ports.becomesFree(port, Duration.ofSeconds(30))).isTrue();
      end.get();
    }
  }

  private static ServerSocket hold(int port) throws IOException {
    ServerSocket socket = new ServerSocket();
    socket.bind(Ports.address(port));
    return socket;
  }

  private static void close(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
