package io.crosstide.sandbox.wan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WanEmulatorTest {
  /** Each task blocks: from JDK 25 on the common pool runs them one at a time on two cores. */
  private final ExecutorService threads = Executors.newCachedThreadPool();

  private WanEmulator wan;
  private ServerSocket server;
  private WanLink link;

  @BeforeEach
  void open() throws IOException {
    wan = new WanEmulator();
    server = new ServerSocket();
    server.bind(Ports.address(0));
    link = wan.open("a", "b", 0, server.getLocalPort());
  }

  @AfterEach
  void close() throws IOException {
    wan.close();
    server.close();
    threads.shutdownNow();
  }

  @Test
  void passesBytesUnchangedBothWaysAndTheEndOfEach() throws Exception {
    wan.delay("a", "b", Duration.ofMillis(3));
    byte[] request = random(1, 5_000_000);
    byte[] answer = random(2, 7_000_000);
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      CompletableFuture<byte[]> received =
          CompletableFuture.supplyAsync(() -> readAll(accepted), threads);
      CompletableFuture<byte[]> returned =
          CompletableFuture.supplyAsync(() -> readAll(client), threads);
      CompletableFuture<Void> answering =
          CompletableFuture.runAsync(() -> writeAndEnd(accepted, answer), threads);
      writeAndEnd(client, request);
      assertThat(received.get()).isEqualTo(request);
      assertThat(returned.get()).isEqualTo(answer);
      answering.get();
    }
    assertThat(link.state().bytes()).isEqualTo(request.length);
    await().untilAsserted(() -> assertThat(link.connections()).isZero());
  }

  @Test
  void delaysEachDirectionByTheOneWayDelay() throws Exception {
    wan.delay("a", "b", Duration.ofMillis(40));
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      client.setTcpNoDelay(true);
      accepted.setTcpNoDelay(true);
      for (int i = 0; i < 5; i++) {
        long start = System.nanoTime();
        client.getOutputStream().write(1);
        assertThat(accepted.getInputStream().read()).isEqualTo(1);
        double there = (System.nanoTime() - start) / 1e6;
        accepted.getOutputStream().write(2);
        assertThat(client.getInputStream().read()).isEqualTo(2);
        double back = (System.nanoTime() - start) / 1e6;
        assertThat(there).isGreaterThan(39);
        assertThat(back).isBetween(78.0, 78.0 + 300);
      }
    }
  }

  @Test
  void carriesManyMegabytesASecondOverALongLine() throws Exception {
    wan.delay("a", "b", Duration.ofMillis(40));
    int total = 200 << 20;
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      long start = System.nanoTime();
      CompletableFuture<Long> received =
          CompletableFuture.supplyAsync(() -> count(accepted), threads);
      byte[] chunk = new byte[1 << 16];
      for (int sent = 0; sent < total; sent += chunk.length) {
        client.getOutputStream().write(chunk);
      }
      client.shutdownOutput();
      assertThat(received.get()).isEqualTo(total);
      double megabytesPerSecond = (total >> 20) / ((System.nanoTime() - start) / 1e9);
      assertThat(megabytesPerSecond).isGreaterThan(20);
    }
  }

  @Test
  void keepsToTheRate() throws Exception {
    wan.rate("a", "b", 4_000_000);
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      long start = System.nanoTime();
      CompletableFuture<Long> received =
          CompletableFuture.supplyAsync(() -> count(accepted), threads);
      client.getOutputStream().write(new byte[2_000_000]);
      client.shutdownOutput();
      assertThat(received.get()).isEqualTo(2_000_000);
      double seconds = (System.nanoTime() - start) / 1e9;
      assertThat(seconds).isBetween(0.45, 2.0);
    }
  }

  @Test
  void keepsOrderWhenTheDelayIsShortened() throws Exception {
    wan.delay("a", "b", Duration.ofMillis(300));
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      client.getOutputStream().write(1);
      wan.delay("a", "b", Duration.ZERO);
      client.getOutputStream().write(2);
      assertThat(accepted.getInputStream().readNBytes(2)).containsExactly(1, 2);
    }
  }

  @Test
  void closesConnectionsOnACutAndPassesAgainOnceHealed() throws Exception {
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      client.getOutputStream().write(1);
      assertThat(accepted.getInputStream().read()).isEqualTo(1);
      wan.cut("b", "a");
      assertThat(readOrEnd(accepted)).isEqualTo(-1);
      assertThat(readOrEnd(client)).isEqualTo(-1);
      assertThat(link.state().cut()).isTrue();
    }
    try (Socket refused = connect()) {
      assertThat(readOrEnd(refused)).isEqualTo(-1);
    }
    wan.heal("a", "b");
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      client.getOutputStream().write(3);
      assertThat(accepted.getInputStream().read()).isEqualTo(3);
    }
  }

  @Test
  void holdsBackEverythingDuringASilentCutAndDeliversItOnceHealed() throws Exception {
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      wan.cut("a", "b", WanEmulator.CutKind.SILENT);
      client.getOutputStream().write(7);
      accepted.setSoTimeout(100);
      assertThatThrownBy(() -> accepted.getInputStream().read())
          .isInstanceOf(SocketTimeoutException.class);
      wan.heal("a", "b");
      accepted.setSoTimeout(0);
      assertThat(accepted.getInputStream().read()).isEqualTo(7);
    }
  }

  @Test
  void pushesBackOnASenderWhoseReceiverDoesNotRead() throws Exception {
    try (Socket client = connect();
        Socket accepted = server.accept()) {
      AtomicLong sent = new AtomicLong();
      Thread sender =
          new Thread(
              () -> {
                try {
                  byte[] chunk = new byte[1 << 16];
                  while (true) {
                    client.getOutputStream().write(chunk);
                    sent.addAndGet(chunk.length);
                  }
                } catch (IOException closed) {
                  // The end of the test.
                  return;
                }
              });
      sender.start();
      AtomicLong before = new AtomicLong(-1);
      await()
          .pollInterval(Duration.ofMillis(300))
          .until(() -> before.getAndSet(sent.get()) == sent.get());
      // The ring, and the kernel's buffers on both sides of the proxy.
      assertThat(sent.get()).isLessThan(DelayRing.CAPACITY_MAX + (32L << 20));
      accepted.close();
      client.close();
      sender.join();
    }
  }

  @Test
  void endsTheClientsConnectionWhenNobodyListensAtTheTarget() throws Exception {
    server.close();
    try (Socket client = connect()) {
      assertThat(readOrEnd(client)).isEqualTo(-1);
    }
  }

  @Test
  void namesThePortThatIsTaken() {
    assertThatThrownBy(() -> wan.open("b", "a", server.getLocalPort(), 1))
        .isInstanceOf(SandboxException.class)
        .hasMessageContaining("Port " + server.getLocalPort());
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket();
    socket.connect(Ports.address(link.port()), 5_000);
    return socket;
  }

  private static byte[] random(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void writeAndEnd(Socket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static byte[] readAll(Socket socket) {
    try {
      return socket.getInputStream().readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static long count(Socket socket) {
    try {
      InputStream in = socket.getInputStream();
      byte[] chunk = new byte[1 << 16];
      long total = 0;
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        total += n;
      }
      return total;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static int readOrEnd(Socket socket) {
    try {
      return socket.getInputStream().read();
    } catch (IOException reset) {
      return -1;
    }
  }
}
