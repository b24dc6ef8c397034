package io.crosstide.sandbox.wan;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/**
 * Bytes on their way through a link, in order, each with the time at which it may leave.
 *
 * <pre>
 *        head                 released(now)              tail
 *  ───────┼──────────────────────┼─────────────────────────┼──────▶ positions, ever growing
 *         │ due: may be written  │ still travelling        │ free: may be read into
 *         marks: (end position, due) ascending in both
 * </pre>
 *
 * A circular buffer that grows by doubling up to a bound; a full ring takes nothing more, which is
 * what pushes back on the sender. Bytes whose times lie within {@link #MARK_NANOS} share a mark.
 * Confined to the loop's thread.
 */
final class DelayRing {
  static final int CAPACITY_START = 1 << 16;

  /** Bound of one direction of one connection, in bytes: 200 MB/s at 40 ms. */
  static final int CAPACITY_MAX = 1 << 23;

  /** How exactly due times are kept, in ns. */
  static final long MARK_NANOS = 100_000;

  private static final int MARKS_START = 64;

  private ByteBuffer buffer = ByteBuffer.allocateDirect(CAPACITY_START);
  private long head;
  private long tail;

  // Marks as two parallel circular arrays, to allocate nothing per chunk.
  private long[] markEnds = new long[MARKS_START];
  private long[] markDues = new long[MARKS_START];
  private int firstMark;
  private int marks;

  boolean isEmpty() {
    return head == tail;
  }

  boolean isFull() {
    return tail - head >= CAPACITY_MAX;
  }

  int size() {
    return (int) (tail - head);
  }

  int capacity() {
    return buffer.capacity();
  }

  /** Due time of the oldest byte; only when not empty. */
  long firstDue() {
    return markDues[firstMark];
  }

  /**
   * Reads once from {@code channel}, at most {@code limit} bytes; the bytes have no due time until
   * {@link #mark}.
   *
   * @return bytes read, 0 when there was nothing or no room, -1 at the end of the stream
   */
  int readFrom(ReadableByteChannel channel, int limit) throws IOException {
    if (size() == buffer.capacity() && !grow()) {
      return 0;
    }
    int capacity = buffer.capacity();
    int at = (int) (tail & (capacity - 1));
    int room = Math.min(capacity - size(), Math.min(limit, capacity - at));
    buffer.limit(at + room).position(at);
    int n = channel.read(buffer);
    if (n > 0) {
      tail += n;
    }
    return n;
  }

  /**
   * Lets the bytes read since the last mark leave at {@code due} (System.nanoTime scale), never
   * before earlier ones.
   */
  void mark(long due) {
    if (marks > 0) {
      int last = (firstMark + marks - 1) & (markEnds.length - 1);
      // A delay that was shortened must not let later bytes overtake.
      if (due - markDues[last] <= MARK_NANOS) {
        markEnds[last] = tail;
        return;
      }
    }
    if (marks == markEnds.length) {
      growMarks();
    }
    int next = (firstMark + marks) & (markEnds.length - 1);
    markEnds[next] = tail;
    markDues[next] = due;
    marks++;
  }

  /**
   * Writes what is due at {@code now}, as far as {@code channel} takes it.
   *
   * @return bytes written
   */
  int writeDue(WritableByteChannel channel, long now) throws IOException {
    long released = head;
    for (int i = 0; i < marks; i++) {
      int m = (firstMark + i) & (markEnds.length - 1);
      if (markDues[m] - now > 0) {
        break;
      }
      released = markEnds[m];
    }
    int written = 0;
    while (head < released) {
      int capacity = buffer.capacity();
      int at = (int) (head & (capacity - 1));
      int chunk = (int) Math.min(released - head, capacity - at);
      buffer.limit(at + chunk).position(at);
      int n = channel.write(buffer);
      head += n;
      written += n;
      if (n < chunk) {
        break;
      }
    }
    while (marks > 0 && markEnds[firstMark] <= head) {
      firstMark = (firstMark + 1) & (markEnds.length - 1);
      marks--;
    }
    return written;
  }

  /** Gives back the memory of an empty ring that grew. */
  void shrink() {
    if (isEmpty() && buffer.capacity() > CAPACITY_START) {
      buffer = ByteBuffer.allocateDirect(CAPACITY_START);
      head = 0;
      tail = 0;
      marks = 0;
    }
  }

  private boolean grow() {
    int capacity = buffer.capacity();
    if (capacity >= CAPACITY_MAX) {
      return false;
    }
    ByteBuffer larger = ByteBuffer.allocateDirect(capacity * 2);
    // Positions keep their meaning: copy each half to where the larger mask puts it.
    for (long p = head; p < tail; ) {
      int at = (int) (p & (capacity - 1));
      int chunk = (int) Math.min(tail - p, capacity - at);
      int to = (int) (p & (larger.capacity() - 1));
      buffer.limit(at + chunk).position(at);
      larger.limit(to + chunk).position(to);
      larger.put(buffer);
      p += chunk;
    }
    buffer = larger;
    return true;
  }

  private void growMarks() {
    long[] ends = new long[markEnds.length * 2];
    long[] dues = new long[markDues.length * 2];
    for (int i = 0; i < marks; i++) {
      int m = (firstMark + i) & (markEnds.length - 1);
      ends[i] = markEnds[m];
      dues[i] = markDues[m];
    }
    markEnds = ends;
    markDues = dues;
    firstMark = 0;
  }
}
