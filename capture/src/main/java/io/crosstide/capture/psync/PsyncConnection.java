package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.Configuration;
import com.moilioncircle.redis.replicator.RedisSocketReplicator;
import com.moilioncircle.redis.replicator.event.Event;
import com.moilioncircle.redis.replicator.event.PostRdbSyncEvent;
import com.moilioncircle.redis.replicator.io.RedisOutputStream;
import com.moilioncircle.redis.replicator.util.type.Tuple2;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;

/**
 * One connection to a Redis as its replica: handshake, snapshot if Redis insists, then the command
 * stream until the connection ends. Used once; whoever wants to go on makes another from its own
 * position.
 *
 * <p>Only the library's handshake and RDB parser are used. Its command loop is not: that drops
 * unknown commands with a warning while the offset moves on, swallows what listeners throw, and
 * acknowledges what it has merely read.
 */
public final class PsyncConnection extends RedisSocketReplicator implements AutoCloseable {
  private static final int CONNECT_TIMEOUT_MILLIS = 5_000;

  /** Redis pings every 10 s by default, and capture's own beacon comes every 100 ms. */
  private static final int READ_TIMEOUT_MILLIS = 30_000;

  private static final int READ_BUFFER_BYTES = 256 * 1024;

  private final RedisEndpoint endpoint;
  private final PsyncPosition from;
  private final PsyncHandler handler;
  private final int argumentBytesMax;
  private final AckSender acks;

  /** Guards the output stream: handshake and ACK thread. */
  private final Object writeLock = new Object();

  private boolean rdbComplete;
  private volatile boolean closed;

  /**
   * @param from where to go on; {@link PsyncPosition#NONE} for a snapshot
   * @param durable replOffset up to which everything is durable, asked by the ACK thread
   * @param argumentBytesMax longer arguments are cut (see {@link CommandReader})
   */
  public PsyncConnection(
      RedisEndpoint endpoint,
      PsyncPosition from,
      PsyncHandler handler,
      LongSupplier durable,
      int argumentBytesMax) {
    super(endpoint.host(), endpoint.port(), configuration(endpoint));
    this.endpoint = endpoint;
    this.from = from;
    this.handler = handler;
    this.argumentBytesMax = argumentBytesMax;
    this.acks =
        new AckSender(
            new AckSender.Wire() {
              @Override
              public void ack(long replOffset) {
                sendLocked("REPLCONF", "ACK", Long.toString(replOffset));
              }

              @Override
              public void keepAlive() {
                newline();
              }
            },
            durable,
            "capture-ack-" + endpoint.host() + ":" + endpoint.port());
    setRdbVisitor(new SnapshotVisitor(this));
  }

  private static Configuration configuration(RedisEndpoint endpoint) {
    Configuration configuration =
        endpoint
            .socketSettings()
            .setAsyncCachedBytes(0)
            .setBufferSize(READ_BUFFER_BYTES)
            .setConnectionTimeout(CONNECT_TIMEOUT_MILLIS)
            .setReadTimeout(READ_TIMEOUT_MILLIS)
            .setUseDefaultExceptionListener(false);
    if (endpoint.password() != null) {
      configuration.setAuthPassword(endpoint.password());
      if (endpoint.user() != null) {
        configuration.setAuthUser(endpoint.user());
      }
    }
    return configuration;
  }

  /**
   * Reads until the connection ends or {@link #close} is called.
   *
   * @throws IOException if the connection failed or Redis refused it; the message names the way out
   *     where an operator must act
   * @throws RuntimeException whatever the handler threw
   */
  public void run() throws IOException {
    acks.start();
    try {
      handshakeAndRead();
    } catch (UncheckedIOException e) {
      throw Objects.requireNonNull(e.getCause());
    } catch (SSLException e) {
      throw new IOException(
          "TLS with "
              + endpoint
              + " failed: "
              + e.getMessage()
              + ". Check the address, and ca-file, cert-file and key-file in the configuration.",
          e);
    } catch (AssertionError e) {
      // How the library reports bytes it does not understand.
      throw new IOException(endpoint + " sent what cannot be understood: " + e.getMessage(), e);
    } finally {
      acks.close();
      doClose();
    }
  }

  /** Not the library's loop: see the class. */
  @Override
  public void open() throws IOException {
    run();
  }

  /** What is durable has advanced. Any thread, cheap. */
  public void durableAdvanced() {
    acks.advanced();
  }

  /** Ends {@link #run} from any thread. */
  @Override
  public void close() throws IOException {
    closed = true;
    super.close();
    if (socket != null) {
      socket.close();
    }
  }

  private void handshakeAndRead() throws IOException {
    establishConnection();
    if (closed) {
      throw new IOException("closed while connecting to " + endpoint);
    }
    sendLocked("PSYNC", from.replId(), Long.toString(from.isNone() ? -1 : from.replOffset() + 1));
    String answer = replyText();
    String[] words = answer.split(" ");
    long offset;
    if (words[0].equals("FULLRESYNC") && words.length == 3) {
      offset = Long.parseLong(words[2]);
      acks.snapshot();
      handler.onFullResync(words[1], offset);
      parseDump(this);
      if (!rdbComplete) {
        throw new IOException("the snapshot from " + endpoint + " ended early");
      }
      handler.onRdbEnd();
    } else if (words[0].equals("CONTINUE")) {
      offset = from.replOffset();
      handler.onContinue(words.length > 1 ? words[1] : from.replId());
    } else {
      throw new IOException(endpoint + " does not replicate now: " + answer);
    }
    acks.streaming();
    readCommands(offset);
  }

  private void readCommands(long offset) throws IOException {
    CommandReader reader = new CommandReader(inputStream, argumentBytesMax);
    ReadPacer pacer = new ReadPacer(System::nanoTime, nanos -> LockSupport.parkNanos(this, nanos));
    long atTurn = 0;
    while (!closed) {
      if (inputStream.head() >= inputStream.tail()) {
        pacer.awaitTurn(reader.consumed() - atTurn);
        atTurn = reader.consumed();
      }
      long start = offset + reader.consumed();
      byte[][] argv = reader.read();
      if (isGetAck(argv)) {
        acks.asked(start);
      }
      handler.onCommand(argv, offset + reader.consumed());
    }
  }

  private static boolean isGetAck(byte[][] argv) {
    return argv.length == 3
        && argv[0].length == 8
        && "REPLCONF".equalsIgnoreCase(text(argv[0]))
        && "GETACK".equalsIgnoreCase(text(argv[1]));
  }

  /** How the RDB parser hands over; unlike the library's, exceptions reach {@link #run}. */
  @Override
  public void submitEvent(Event event, Tuple2<Long, Long> offsets) {
    if (event instanceof PostRdbSyncEvent) {
      rdbComplete = true;
    }
    handler.onRdbEvent(event);
  }

  @Override
  public void submitEvent(Event event) {
    submitEvent(event, new Tuple2<>(0L, 0L));
  }

  /** As the library's, but logs no digest of the password and tells refusal from failure. */
  @Override
  protected void auth(String user, String password) throws IOException {
    if (user == null) {
      sendLocked("AUTH", password);
    } else {
      sendLocked("AUTH", user, password);
    }
    String answer = replyText();
    if (!answer.equals("OK") && !answer.contains("without any password")) {
      throw new IOException(
          endpoint
              + " refuses the login of "
              + (user == null ? "the default user" : user)
              + ": "
              + (answer.endsWith(".") ? answer : answer + ".")
              + " Check redis user and password in the configuration.");
    }
  }

  @Override
  protected void sendPing() throws IOException {
    sendLocked("PING");
    String answer = replyText();
    if (answer.startsWith("NOAUTH") || answer.startsWith("NOPERM")) {
      throw new IOException(
          endpoint
              + " answers "
              + answer
              + ". Capture needs a user that may run PSYNC, REPLCONF, PING, SET and SELECT.");
    }
    if (!answer.equalsIgnoreCase("PONG")) {
      throw new IOException(endpoint + " is not ready: " + answer);
    }
  }

  private String replyText() throws IOException {
    Object answer = reply();
    return answer instanceof byte[] bytes ? text(bytes).trim() : String.valueOf(answer);
  }

  /** Failures are left to the reading side, which sees the same broken connection. */
  private void sendLocked(String command, String... arguments) {
    byte[][] args = new byte[arguments.length][];
    for (int i = 0; i < args.length; i++) {
      args[i] = arguments[i].getBytes(StandardCharsets.UTF_8);
    }
    synchronized (writeLock) {
      sendQuietly(command.getBytes(StandardCharsets.US_ASCII), args);
    }
  }

  private void newline() {
    synchronized (writeLock) {
      RedisOutputStream out = outputStream;
      try {
        out.write('\n');
        out.flush();
      } catch (IOException e) {
        logger.debug("keep-alive to {} failed; the reader will see it", endpoint, e);
      }
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "PSYNC from %s at %s", endpoint, from);
  }
}
