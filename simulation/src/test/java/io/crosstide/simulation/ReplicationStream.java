package io.crosstide.simulation;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a Redis sends its replicas: commands under one replication id, of which the last part is
 * kept for replicas that come back (the backlog).
 */
final class ReplicationStream {
  private static final byte[] MULTI = ascii("MULTI");
  private static final byte[] EXEC = ascii("EXEC");
  private static final byte[] SELECT = ascii("SELECT");

  /** A command that one step of Redis executes in one database. */
  record Command(int db, List<byte[]> argv) {}

  /** A command as a replica reads it. */
  record Sent(List<byte[]> argv, long endOffset) {}

  private final List<Sent> sent = new ArrayList<>();
  private int forgotten;
  private long offset;
  private int histories = 1;
  private int db = -1;

  String replId() {
    return "history" + histories;
  }

  /** What one atomic step propagates: bare if it is one command, else within MULTI and EXEC. */
  void propagate(List<Command> commands) {
    boolean together = commands.size() > 1;
    if (together) {
      add(List.of(MULTI));
    }
    for (Command command : commands) {
      if (command.db() != db) {
        db = command.db();
        add(List.of(SELECT, ascii(Integer.toString(db))));
      }
      add(command.argv());
    }
    if (together) {
      add(List.of(EXEC));
    }
  }

  private void add(List<byte[]> argv) {
    for (byte[] arg : argv) {
      offset += arg.length + 5;
    }
    sent.add(new Sent(argv, offset));
  }

  /** The command after {@code replOffset}, or null if there is none yet. */
  @Nullable Sent after(long replOffset) {
    int at = indexAfter(replOffset);
    return at < sent.size() ? sent.get(at) : null;
  }

  private int indexAfter(long replOffset) {
    int low = 0;
    int high = sent.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sent.get(middle).endOffset() <= replOffset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Bytes of this history so far. */
  long offset() {
    return offset;
  }

  /** Whether a replica that stands there can go on without a snapshot. */
  boolean reaches(String ofReplId, long replOffset) {
    long begin = forgotten == 0 ? 0 : sent.get(forgotten - 1).endOffset();
    return ofReplId.equals(replId()) && replOffset >= begin && replOffset <= offset;
  }

  /** The backlog overruns: nothing up to now is kept. */
  void forget() {
    forgotten = sent.size();
  }

  /** A snapshot is being sent: the next command says its database again. */
  void snapshotTaken() {
    db = -1;
  }

  /** Redis was restarted and begins another history. */
  void restart() {
    histories++;
    sent.clear();
    forgotten = 0;
    offset = 0;
    db = -1;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
