package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link Partitions#slot} against {@code CLUSTER KEYSLOT} of a real Redis. */
class RedisSlotsIT {
  private static final int KEYS = 5_000;
  private static final long START_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);
  private static final byte[] ALPHABET = {'a', 'b', '{', '}', '{', '}', 0, (byte) 0xff, '\n'};

  @TempDir Path directory;

  @Test
  void slotsAreWhatRedisSaysForKeysWithBracesAndBinaryBytes() throws Exception {
    int port = freePort();
    Process redis =
        new ProcessBuilder(
                "redis-server",
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                Integer.toString(freePort()),
                "--save",
                "",
                "--dir",
                directory.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("redis.log").toFile())
            .start();
    try (Socket socket = connect(port, redis)) {
      Random random = new Random(7);
      OutputStream out = socket.getOutputStream();
      DataInputStream in = new DataInputStream(socket.getInputStream());
      for (int i = 0; i < KEYS; i++) {
        byte[] key = new byte[random.nextInt(14)];
        for (int n = 0; n < key.length; n++) {
          key[n] = ALPHABET[random.nextInt(ALPHABET.length)];
        }
        assertThat(Partitions.slot(key)).as("key %d", i).isEqualTo(keySlot(out, in, key));
      }
    } finally {
      redis.destroy();
      assertThat(redis.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static int keySlot(OutputStream out, DataInputStream in, byte[] key) throws IOException {
    // in one piece: separate small writes each wait for the other side's delayed ACK
    ByteArrayOutputStream command = new ByteArrayOutputStream();
    command.writeBytes(ascii("*3\r\n$7\r\nCLUSTER\r\n$7\r\nKEYSLOT\r\n$" + key.length + "\r\n"));
    command.writeBytes(key);
    command.writeBytes(ascii("\r\n"));
    command.writeTo(out);
    out.flush();
    StringBuilder line = new StringBuilder();
    for (int b = in.readUnsignedByte(); b != '\n'; b = in.readUnsignedByte()) {
      line.append((char) b);
    }
    assertThat(line.toString()).startsWith(":");
    return Integer.parseInt(line.substring(1).trim());
  }

  private static Socket connect(int port, Process redis) {
    long deadline = System.nanoTime() + START_TIMEOUT_NANOS;
    while (System.nanoTime() < deadline) {
      try {
        return new Socket(InetAddress.getLoopbackAddress(), port);
      } catch (IOException e) {
        assertThat(redis.isAlive()).as("redis-server is running").isTrue();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      }
    }
    return fail("redis-server did not listen on port " + port);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
