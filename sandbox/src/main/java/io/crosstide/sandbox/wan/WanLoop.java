package io.crosstide.sandbox.wan;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that moves the bytes of all links: a selector, and a timer for what is on its way.
 *
 * <p>One thread for all is enough: it does little more than a read and a write per chunk.
 * Everything it owns is confined to it; others hand in work through {@link #run}.
 */
final class WanLoop implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WanLoop.class);
  private static final long MILLI = 1_000_000L;

  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
  private final List<Connection> connections = new ArrayList<>();
  private final Map<WanLink, SelectionKey> listeners = new HashMap<>();
  private final Map<Connection, WanLink> owners = new HashMap<>();
  private volatile boolean closing;

  WanLoop() {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("No selector for the WAN emulator", e);
    }
    thread = new Thread(this::loop, "wan-emulator");
    thread.setDaemon(true);
    thread.start();
  }

  /** Runs {@code command} on the loop's thread and waits for it. */
  void run(Runnable command) {
    if (Thread.currentThread() == thread) {
      command.run();
      return;
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    commands.add(
        () -> {
          try {
            command.run();
            done.complete(null);
          } catch (RuntimeException e) {
            done.completeExceptionally(e);
          }
        });
    selector.wakeup();
    if (closing && !thread.isAlive()) {
      throw new IllegalStateException("The WAN emulator is closed.");
    }
    done.join();
  }

  /** Accepts connections for {@code link} on {@code server}, which is bound; takes it over. */
  void listen(WanLink link, ServerSocketChannel server) {
    try {
      server.configureBlocking(false);
      listeners.put(link, server.register(selector, SelectionKey.OP_ACCEPT, link));
    } catch (IOException e) {
      throw new UncheckedIOException("Link " + link + " cannot listen", e);
    }
  }

  /** Brings connections in line with a link's changed state. */
  void linkChanged(WanLink link) {
    boolean refuse = link.isCut() && !link.isSilenced();
    owners.forEach(
        (connection, owner) -> {
          if (owner == link) {
            if (refuse) {
              connection.close();
            } else {
              connection.settle();
            }
          }
        });
    SelectionKey listener = listeners.get(link);
    if (listener != null) {
      // Silence: new connections wait in the kernel's queue, unanswered, as behind a dead line.
      listener.interestOps(link.isSilenced() ? 0 : SelectionKey.OP_ACCEPT);
    }
    removeClosed();
  }

  @Override
  public void close() {
    closing = true;
    selector.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop() {
    try {
      while (!closing) {
        select();
        for (Runnable command = commands.poll(); command != null; command = commands.poll()) {
          command.run();
        }
        long now = System.nanoTime();
        serveReady(now);
        for (Connection connection : connections) {
          connection.tick(now);
        }
        removeClosed();
      }
    } catch (IOException | RuntimeException e) {
      log.error("The WAN emulator stops: all links are dead until the sandbox is started again", e);
    } finally {
      closing = true;
      closeAll();
    }
  }

  private void select() throws IOException {
    long now = System.nanoTime();
    long wait = Long.MAX_VALUE;
    for (Connection connection : connections) {
      wait = Math.min(wait, connection.nanosToNext(now));
    }
    if (wait == Long.MAX_VALUE) {
      selector.select();
    } else if (wait <= Flow.SLACK_NANOS) {
      selector.selectNow();
    } else {
      selector.select(Math.max(1, (wait + MILLI / 2) / MILLI));
    }
  }

  private void serveReady(long now) throws IOException {
    Iterator<SelectionKey> ready = selector.selectedKeys().iterator();
    while (ready.hasNext()) {
      SelectionKey key = ready.next();
      ready.remove();
      if (!key.isValid()) {
        continue;
      }
      if (key.attachment() instanceof Connection connection) {
        connection.ready(key, now);
      } else if (key.attachment() instanceof WanLink link) {
        accept(link, (ServerSocketChannel) key.channel());
      }
    }
  }

  private void accept(WanLink link, ServerSocketChannel server) throws IOException {
    SocketChannel client = server.accept();
    if (client == null) {
      return;
    }
    if (link.isCut()) {
      Connection.closeChannel(client);
      return;
    }
    try {
      client.configureBlocking(false);
      Connection connection = new Connection(link, client, selector);
      connections.add(connection);
      owners.put(connection, link);
      link.connections(link.connections() + 1);
    } catch (IOException e) {
      log.debug("A connection on link {} cannot be passed on: {}", link, e.getMessage());
      Connection.closeChannel(client);
    }
  }

  private void removeClosed() {
    for (Iterator<Connection> all = connections.iterator(); all.hasNext(); ) {
      Connection connection = all.next();
      if (connection.isClosed()) {
        all.remove();
        WanLink link = owners.remove(connection);
        if (link != null) {
          link.connections(link.connections() - 1);
        }
      }
    }
  }

  private void closeAll() {
    connections.forEach(Connection::close);
    connections.clear();
    for (SelectionKey key : List.copyOf(selector.keys())) {
      try {
        key.channel().close();
      } catch (IOException e) {
        log.debug("Closing a listener failed: {}", e.getMessage());
      }
    }
    try {
      selector.close();
    } catch (IOException e) {
      log.debug("Closing the selector failed: {}", e.getMessage());
    }
    for (Runnable command = commands.poll(); command != null; command = commands.poll()) {
      command.run();
    }
  }
}
