package io.crosstide.sandbox.registry;

import com.sun.net.httpserver.HttpServer;
import io.crosstide.sandbox.SandboxException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A schema registry on loopback that speaks enough of Confluent's REST API for Confluent's own
 * client: subjects, versions, ids, compatibility, levels and modes, Avro only, without contexts.
 *
 * <p>Its schemas are records of the compacted topic {@code _schemas}, in Confluent's own format;
 * starting reads them back. One registry writes: starting a second on the same Kafka fences the
 * first, whose next write takes the log over again; meanwhile its answers may be old. Ids are never
 * given twice, unless the highest was deleted permanently and the topic compacted since.
 */
public final class EmbeddedSchemaRegistry implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedSchemaRegistry.class);
  private static final int THREADS = 2;
  private static final int BACKLOG = 64;

  private final RegistryLog records;
  private final HttpServer server;
  private final ExecutorService executor;

  private EmbeddedSchemaRegistry(RegistryLog records, HttpServer server, ExecutorService executor) {
    this.records = records;
    this.server = server;
    this.executor = executor;
  }

  /**
   * A running registry.
   *
   * @param bootstrapServers the Kafka that holds {@code _schemas}; the topic is created if missing
   * @param port on loopback, 0 for any free one
   * @throws SandboxException if the port is in use or Kafka cannot be reached
   */
  public static EmbeddedSchemaRegistry start(String bootstrapServers, int port) {
    return start(new KafkaRegistryLog(Map.of("bootstrap.servers", bootstrapServers)), port);
  }

  static EmbeddedSchemaRegistry start(RegistryLog records, int port) {
    RegistryStore store = new RegistryStore(records);
    HttpServer server = bind(port);
    try {
      store.open();
    } catch (RegistryError e) {
      server.stop(0);
      records.close();
      throw new SandboxException("the schema registry cannot start: " + e.getMessage(), e);
    }
    ExecutorService executor =
        Executors.newFixedThreadPool(
            THREADS,
            work -> {
              Thread thread = new Thread(work, "schema-registry");
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(executor);
    server.createContext("/", new RegistryHandler(new RegistryRouter(store)));
    server.start();
    EmbeddedSchemaRegistry registry = new EmbeddedSchemaRegistry(records, server, executor);
    log.info(
        "Schema registry at {} with {} subjects", registry.url(), store.state().subjects().size());
    return registry;
  }

  private static HttpServer bind(int port) {
    try {
      return HttpServer.create(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
    } catch (IOException e) {
      throw new SandboxException(
          "the schema registry cannot listen on port "
              + port
              + ": "
              + e.getMessage()
              + "; stop what uses it or choose another port",
          e);
    }
  }

  public int port() {
    return server.getAddress().getPort();
  }

  /** Where clients reach it, as {@code http://127.0.0.1:port}. */
  public URI url() {
    return URI.create("http://127.0.0.1:" + port());
  }

  /** Stops answering and lets Kafka go; the schemas stay in the topic. */
  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
    records.close();
  }
}
