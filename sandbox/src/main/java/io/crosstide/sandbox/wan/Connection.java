package io.crosstide.sandbox.wan;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One proxied connection: the socket of the client, the socket to the broker, and a flow each way.
 */
final class Connection {
  private static final Logger log = LoggerFactory.getLogger(Connection.class);

  private final WanLink link;
  private final SocketChannel client;
  private final SocketChannel broker;
  private final SelectionKey clientKey;
  private final SelectionKey brokerKey;
  private final Flow outward;
  private final Flow homeward;
  private boolean connected;
  private boolean closed;

  /**
   * Takes over {@code client}, which is non-blocking, and starts to connect to the link's target.
   */
  Connection(WanLink link, SocketChannel client, Selector selector) throws IOException {
    this.link = link;
    this.client = client;
    this.broker = SocketChannel.open();
    try {
      client.setOption(StandardSocketOptions.TCP_NODELAY, true);
      broker.setOption(StandardSocketOptions.TCP_NODELAY, true);
      broker.configureBlocking(false);
      outward = new Flow(client, broker, link.outwardLane());
      homeward = new Flow(broker, client, link.homewardLane());
      clientKey = client.register(selector, 0, this);
      brokerKey = broker.register(selector, SelectionKey.OP_CONNECT, this);
      broker.connect(link.target());
    } catch (IOException | RuntimeException e) {
      closeChannel(broker);
      throw e;
    }
  }

  /** Serves one ready socket. */
  void ready(SelectionKey key, long now) {
    try {
      if (key == brokerKey && !connected) {
        if (!broker.finishConnect()) {
          return;
        }
        connected = true;
      } else {
        if (key.isReadable()) {
          (key == clientKey ? outward : homeward).readable(now);
        }
        if (key.isWritable()) {
          (key == clientKey ? homeward : outward).writable(now);
        }
      }
      settle();
    } catch (IOException e) {
      // Ends of connections are the proxy's daily bread; both sides see it as their own socket's
      // end.
      log.debug("Connection on link {} ended: {}", link, e.getMessage());
      close();
    }
  }

  /** Passes on what is due. */
  void tick(long now) {
    if (closed || !connected || link.isSilenced()) {
      return;
    }
    try {
      outward.advance(now);
      homeward.advance(now);
      settle();
    } catch (IOException e) {
      log.debug("Connection on link {} ended: {}", link, e.getMessage());
      close();
    }
  }

  long nanosToNext(long now) {
    if (closed || !connected || link.isSilenced()) {
      return Long.MAX_VALUE;
    }
    return Math.min(outward.nanosToNext(now), homeward.nanosToNext(now));
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * Brings the selector's interest in line with the flows, after a change of theirs or of the link.
   */
  void settle() {
    if (closed || !connected) {
      return;
    }
    if (outward.isFinished() && homeward.isFinished()) {
      close();
      return;
    }
    boolean silenced = link.isSilenced();
    interest(clientKey, !silenced && outward.wantsRead(), !silenced && homeward.wantsWrite());
    interest(brokerKey, !silenced && homeward.wantsRead(), !silenced && outward.wantsWrite());
  }

  void close() {
    if (!closed) {
      closed = true;
      closeChannel(client);
      closeChannel(broker);
    }
  }

  private static void interest(SelectionKey key, boolean read, boolean write) {
    int ops = (read ? SelectionKey.OP_READ : 0) | (write ? SelectionKey.OP_WRITE : 0);
    if (key.interestOps() != ops) {
      key.interestOps(ops);
    }
  }

  static void closeChannel(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("Closing a proxied socket failed: {}", e.getMessage());
    }
  }
}
