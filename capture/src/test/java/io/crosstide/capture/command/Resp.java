package io.crosstide.capture.command;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A plain connection to a Redis, for tests: requests, replies, and the bytes of a replication
 * stream.
 */
final class Resp implements AutoCloseable {
  private static final int TIMEOUT_MILLIS = 20_000;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private long bytesRead;

  /** An error reply. */
  record Failure(String message) {}

  Resp(int port) {
    try {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
      out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a command without waiting for its reply. */
  void send(byte[]... argv) {
    try {
      out.write(("*" + argv.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
      for (byte[] arg : argv) {
        out.write(("$" + arg.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.write(arg);
        out.write('\r');
        out.write('\n');
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Nullable Object call(byte[]... argv) {
    send(argv);
    flush();
    return read();
  }

  @Nullable Object call(String... words) {
    byte[][] argv = new byte[words.length][];
    for (int i = 0; i < words.length; i++) {
      argv[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
    }
    return call(argv);
  }

  /** A reply as text; fails on errors. */
  String text(String... words) {
    Object reply = call(words);
    if (reply instanceof Failure failure) {
      throw new AssertionError(String.join(" ", words) + ": " + failure.message());
    }
    return reply instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.ISO_8859_1)
        : String.valueOf(reply);
  }

  /** A reply's elements as byte strings. */
  List<byte[]> list(byte[]... argv) {
    Object reply = call(argv);
    List<byte[]> items = new ArrayList<>();
    if (!(reply instanceof List<?> elements)) {
      throw new AssertionError("expected a list, got " + reply);
    }
    for (Object element : elements) {
      items.add((byte[]) element);
    }
    return items;
  }

  /** Bytes read since the last call of this method. */
  long takeBytesRead() {
    long count = bytesRead;
    bytesRead = 0;
    return count;
  }

  /** The next reply, or in a stream the next command: byte[], Long, List, Failure or null. */
  @Nullable Object read() {
    try {
      String line = line();
      String rest = line.substring(1);
      return switch (line.charAt(0)) {
        case '+' -> rest.getBytes(StandardCharsets.ISO_8859_1);
        case '-' -> new Failure(rest);
        case ':' -> Long.valueOf(rest);
        case '$' -> bulk(Integer.parseInt(rest));
        case '*' -> array(Integer.parseInt(rest));
        default -> throw new AssertionError("not a reply: " + line);
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte @Nullable [] bulk(int length) throws IOException {
    if (length < 0) {
      return null;
    }
    byte[] bytes = skip(length);
    skip(2);
    return bytes;
  }

  private @Nullable List<@Nullable Object> array(int length) {
    if (length < 0) {
      return null;
    }
    List<@Nullable Object> items = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      items.add(read());
    }
    return items;
  }

  /** A line without its end; empty lines, which a master sends to keep alive, are passed over. */
  String line() throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int b = in.readUnsignedByte();
      bytesRead++;
      if (b == '\n') {
        if (line.length() > 0) {
          return line.toString();
        }
      } else if (b != '\r') {
        line.append((char) b);
      }
    }
  }

  byte[] skip(int length) throws IOException {
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    bytesRead += length;
    return bytes;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
