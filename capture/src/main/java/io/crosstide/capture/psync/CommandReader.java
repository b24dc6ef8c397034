package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.io.RedisInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads commands off a replication stream and counts their bytes. Anything that is not a command is
 * an error, never skipped: the count would no longer be the offset.
 *
 * <p>Memory stays bounded whatever a client wrote: of an argument longer than {@code
 * argumentBytesMax} only the first {@code argumentBytesMax + 1} bytes are kept, so that whoever
 * looks at its length still sees that it is too long. Of a command longer than {@value
 * #COMMAND_ARGUMENTS_MAX} such arguments, what is beyond is read as if it were too long as well,
 * arguments of up to {@value #SHORT_BYTES} bytes excepted: keys and the like. The bound must not
 * depend on the machine, for whoever reads a command again has to read the same.
 */
public final class CommandReader {
  /** More than Redis itself accepts from a client (2^31 - 1 in theory, 2^20 by default). */
  private static final int ARGUMENTS_MAX = 1 << 27;

  private static final int COMMAND_ARGUMENTS_MAX = 4;
  private static final int SHORT_BYTES = 1024;

  private final RedisInputStream in;
  private final int argumentBytesMax;
  private final long commandBytesMax;
  private long consumed;

  /** Of the command being read. */
  private long keptBytes;

  /** What stands for every argument that is left out. */
  private byte @Nullable [] leftOut;

  public CommandReader(RedisInputStream in, int argumentBytesMax) {
    this.in = in;
    this.argumentBytesMax = argumentBytesMax;
    this.commandBytesMax = (long) COMMAND_ARGUMENTS_MAX * argumentBytesMax;
  }

  /** Bytes of all commands read so far. */
  public long consumed() {
    return consumed;
  }

  /**
   * Blocks until a whole command is there.
   *
   * @throws EOFException if Redis closed the connection
   */
  public byte[][] read() throws IOException {
    int first = in.read();
    while (first == '\n') {
      // A keep-alive outside the history: Redis does not count it.
      first = in.read();
    }
    if (first != '*') {
      throw new IOException(
          "the replication stream has "
              + describe(first)
              + " where a command should begin; reconnecting from the last position");
    }
    consumed++;
    long count = readNumber();
    if (count < 1 || count > ARGUMENTS_MAX) {
      throw new IOException("the replication stream has a command of " + count + " arguments");
    }
    byte[][] argv = new byte[(int) count][];
    keptBytes = 0;
    for (int i = 0; i < argv.length; i++) {
      int marker = in.read();
      if (marker != '$') {
        throw new IOException(
            "the replication stream has " + describe(marker) + " where an argument should begin");
      }
      consumed++;
      argv[i] = readArgument(readNumber());
    }
    return argv;
  }

  private byte[] readArgument(long length) throws IOException {
    int kept = (int) Math.min(length, argumentBytesMax + 1L);
    byte[] argument;
    if (kept > SHORT_BYTES && keptBytes + kept > commandBytesMax) {
      argument = leftOut();
      in.skip(length);
    } else {
      argument = new byte[kept];
      if (kept > 0) {
        in.read(argument, 0, kept);
      }
      if (length > kept) {
        in.skip(length - kept);
      }
      keptBytes += kept;
    }
    expect('\r');
    expect('\n');
    consumed += length + 2;
    return argument;
  }

  private byte[] leftOut() {
    byte[] made = leftOut;
    if (made == null) {
      made = new byte[argumentBytesMax + 1];
      leftOut = made;
    }
    return made;
  }

  private long readNumber() throws IOException {
    long number = 0;
    int digits = 0;
    while (true) {
      int c = in.read();
      consumed++;
      if (c == '\r') {
        expect('\n');
        consumed++;
        if (digits == 0) {
          throw new IOException("the replication stream has an empty length");
        }
        return number;
      }
      if (c >= '0' && c <= '9' && digits < 18) {
        number = number * 10 + (c - '0');
        digits++;
      } else {
        throw new IOException("the replication stream has " + describe(c) + " within a length");
      }
    }
  }

  private void expect(char wanted) throws IOException {
    int c = in.read();
    if (c != wanted) {
      throw new IOException(
          "the replication stream has " + describe(c) + " where a line should end");
    }
  }

  private static String describe(int c) {
    return c > ' ' && c < 0x7f
        ? "'" + new String(new byte[] {(byte) c}, StandardCharsets.US_ASCII) + "'"
        : "byte " + c;
  }
}
