package io.crosstide.apply;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP proxy that can swallow what the server answers, and cut. */
final class TestProxy implements AutoCloseable {
  private final ServerSocket server;
  private final int targetPort;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean swallowReplies;
  private final AtomicLong swallowed = new AtomicLong();

  TestProxy(int targetPort) throws IOException {
    this.targetPort = targetPort;
    this.server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    run("accept", this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** From now on the server's answers are read and thrown away. */
  void swallowReplies() {
    swallowReplies = true;
  }

  long swallowedBytes() {
    return swallowed.get();
  }

  /** Closes every connection; new ones are served, with their answers. */
  void cut() {
    swallowReplies = false;
    sockets.forEach(TestProxy::closeQuietly);
    sockets.clear();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = server.accept();
      Socket target = new Socket(InetAddress.getLoopbackAddress(), targetPort);
      client.setTcpNoDelay(true);
      target.setTcpNoDelay(true);
      sockets.add(client);
      sockets.add(target);
      run("requests", () -> copy(client, target, false));
      run("replies", () -> copy(target, client, true));
    }
  }

  private void copy(Socket from, Socket to, boolean replies) throws IOException {
    byte[] buffer = new byte[16 * 1024];
    InputStream in = from.getInputStream();
    OutputStream out = to.getOutputStream();
    for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
      if (replies && swallowReplies) {
        swallowed.addAndGet(read);
      } else {
        out.write(buffer, 0, read);
        out.flush();
      }
    }
    closeQuietly(to);
  }

  private interface Job {
    void run() throws IOException;
  }

  private static void run(String name, Job job) {
    Thread thread =
        new Thread(
            () -> {
              try {
                job.run();
              } catch (IOException closed) {
                // A cut is what this proxy is for.
                Thread.currentThread().interrupt();
              }
            },
            "proxy-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  private static void closeQuietly(Closeable socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }
}
