package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.Configuration;
import com.moilioncircle.redis.replicator.net.RedisSocketFactory;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One ordinary connection to a Redis, logged in, for few and simple calls, one after the other by
 * one thread; any thread may close it.
 */
public final class RedisCaller implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RedisCaller.class);
  private static final int CONNECT_TIMEOUT_MILLIS = 5_000;

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;

  private RedisCaller(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
    this.out = new BufferedOutputStream(socket.getOutputStream());
  }

  /**
   * Connects and logs in.
   *
   * @param answerMillisMax how long an answer may take; 0 for as long as it likes
   * @throws IOException also if the login is refused
   */
  public static RedisCaller connect(RedisEndpoint endpoint, int answerMillisMax)
      throws IOException {
    Configuration settings = endpoint.socketSettings().setReadTimeout(answerMillisMax);
    RedisCaller made =
        new RedisCaller(
            new RedisSocketFactory(settings)
                .createSocket(endpoint.host(), endpoint.port(), CONNECT_TIMEOUT_MILLIS));
    try {
      made.login(endpoint);
      return made;
    } catch (IOException | RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private void login(RedisEndpoint endpoint) throws IOException {
    String password = endpoint.password();
    if (password == null) {
      return;
    }
    String user = endpoint.user();
    String answer = user == null ? call("AUTH", password) : call("AUTH", user, password);
    if (!answer.equals("+OK") && !answer.contains("without any password")) {
      throw new IOException("login refused: " + answer);
    }
  }

  /** Calls a command and returns the first line of its answer. */
  public String call(String... words) throws IOException {
    byte[][] argv = new byte[words.length][];
    for (int i = 0; i < words.length; i++) {
      argv[i] = words[i].getBytes(StandardCharsets.UTF_8);
    }
    return call(argv);
  }

  /** As {@link #call(String...)}, for words of any bytes. */
  public String call(byte[][] argv) throws IOException {
    out.write(ascii("*" + argv.length + "\r\n"));
    for (byte[] word : argv) {
      out.write(ascii("$" + word.length + "\r\n"));
      out.write(word);
      out.write(ascii("\r\n"));
    }
    out.flush();
    return readLine();
  }

  /** The rest of an answer whose first line says that so many bytes follow. */
  public byte[] bulk(int length) throws IOException {
    byte[] bytes = in.readNBytes(length);
    in.skipNBytes(2); // the end of the line
    return bytes;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("Redis closed the connection");
      }
      line.append((char) c);
    }
    return line.toString().trim();
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      log.debug("closing the connection", e);
    }
  }
}
