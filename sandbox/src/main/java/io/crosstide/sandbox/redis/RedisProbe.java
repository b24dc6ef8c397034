package io.crosstide.sandbox.redis;

import io.crosstide.sandbox.Ports;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** The few words of Redis's protocol that the sandbox itself speaks: is it ready, and who is it. */
final class RedisProbe {
  private static final int TIMEOUT_MILLIS = 1_000;
  private static final int LINE_BYTES_MAX = 1 << 16;

  private RedisProbe() {}

  /**
   * First line of the answer to {@code PING}: {@code +PONG} once data are loaded, {@code -LOADING
   * ...} before.
   */
  static String ping(int port) throws IOException {
    try (Socket socket = connect(port)) {
      send(socket, "PING\r\n");
      return readLine(new BufferedInputStream(socket.getInputStream()));
    }
  }

  /** One field of {@code INFO server}; empty when the server does not say. */
  static String info(int port, String field) throws IOException {
    try (Socket socket = connect(port)) {
      send(socket, "INFO server\r\n");
      InputStream in = new BufferedInputStream(socket.getInputStream());
      String header = readLine(in);
      if (!header.startsWith("$")) {
        return "";
      }
      byte[] body = in.readNBytes(Integer.parseInt(header.substring(1)));
      for (String line : new String(body, StandardCharsets.UTF_8).split("\r\n", -1)) {
        if (line.startsWith(field + ":")) {
          return line.substring(field.length() + 1);
        }
      }
      return "";
    }
  }

  private static Socket connect(int port) throws IOException {
    Socket socket = new Socket();
    try {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.connect(Ports.address(port), TIMEOUT_MILLIS);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private static void send(Socket socket, String line) throws IOException {
    socket.getOutputStream().write(line.getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().flush();
  }

  private static String readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (line.size() < LINE_BYTES_MAX) {
      int b = in.read();
      if (b < 0) {
        throw new EOFException("connection closed before the answer");
      }
      if (b == '\n') {
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
      }
      line.write(b);
    }
    throw new IOException("an answer's line is longer than " + LINE_BYTES_MAX + " bytes");
  }
}
