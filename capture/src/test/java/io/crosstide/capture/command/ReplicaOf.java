package io.crosstide.capture.command;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The replication stream of an empty Redis, read with nothing but a socket. */
final class ReplicaOf implements AutoCloseable {
  private final Resp connection;
  private final String replId;
  private long offset;

  /** One command of the stream and the offset after it. */
  record Command(List<byte[]> words, long endOffset) {
    byte[][] argv() {
      return words.toArray(new byte[0][]);
    }
  }

  ReplicaOf(int port) {
    connection = new Resp(port);
    connection.text("REPLCONF", "listening-port", "1");
    connection.text("REPLCONF", "capa", "eof", "capa", "psync2");
    String[] answer = connection.text("PSYNC", "?", "-1").split(" ");
    replId = answer[1];
    offset = Long.parseLong(answer[2]);
    try {
      String length = connection.line();
      connection.skip(Integer.parseInt(length.substring(1)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    connection.takeBytesRead();
  }

  String replId() {
    return replId;
  }

  long offset() {
    return offset;
  }

  Command next() {
    List<?> words = (List<?>) Objects.requireNonNull(connection.read());
    List<byte[]> argv = new ArrayList<>(words.size());
    for (Object word : words) {
      argv.add((byte[]) word);
    }
    offset += connection.takeBytesRead();
    return new Command(argv, offset);
  }

  @Override
  public void close() {
    connection.close();
  }
}
