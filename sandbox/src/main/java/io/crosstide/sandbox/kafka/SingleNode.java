package io.crosstide.sandbox.kafka;

import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kafka.server.BrokerServer;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.Server;
import kafka.server.SharedServer;
import kafka.server.StandardFaultHandlerFactory;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.controller.ControllerRequestContext;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.raft.QuorumConfig;
import org.apache.kafka.server.ServerSocketFactory;
import org.apache.kafka.server.metrics.KafkaYammerMetrics;
import org.slf4j.LoggerFactory;
import scala.Tuple2;

/**
 * A broker and its own controller, put together as {@link KafkaRaftServer} does, with one step in
 * between: the controller forgets the broker of the process before.
 *
 * <p>Without that step a broker that was killed comes up as leader of everything, as its controller
 * still remembers it, loses all leaderships when the session of its dead predecessor ends, and gets
 * them back once it has registered. If its transaction coordinator completes a transaction in the
 * moment without leaders, Kafka 4.3 takes the partitions for deleted and leaves their markers out:
 * the offsets or records of a committed transaction stay undecided for ever, and whoever wants to
 * read them waits for ever. For the same reason such a broker is never to be fenced while it lives
 * ({@link BrokerConfig}).
 */
final class SingleNode {
  private static final long ACTIVE_MILLIS_MAX = 60_000;
  private static final long RETRY_MILLIS = 20;

  private final int nodeId;
  private final ControllerServer controller;
  private final BrokerServer broker;

  SingleNode(KafkaConfig config) {
    nodeId = config.nodeId();
    KafkaYammerMetrics.INSTANCE.configure(config.originals());
    Tuple2<MetaPropertiesEnsemble, BootstrapMetadata> directory =
        KafkaRaftServer.initializeLogDirs(
            config, LoggerFactory.getLogger(KafkaRaftServer.class), "[node " + nodeId + "] ");
    QuorumConfig quorum = config.quorumConfig();
    SharedServer shared =
        new SharedServer(
            config,
            directory._1(),
            Time.SYSTEM,
            Server.initializeMetrics(config, Time.SYSTEM, directory._1().clusterId().orElseThrow()),
            CompletableFuture.completedFuture(QuorumConfig.parseVoterConnections(quorum.voters())),
            QuorumConfig.parseBootstrapServers(quorum.bootstrapServers()),
            new StandardFaultHandlerFactory(),
            ServerSocketFactory.INSTANCE);
    broker = new BrokerServer(shared);
    controller = new ControllerServer(shared, KafkaRaftServer.configSchema(), directory._2());
  }

  /**
   * Returns when the broker serves clients.
   *
   * @throws KafkaException the controller did not become active
   */
  void startup() {
    controller.startup();
    forgetBroker();
    broker.startup();
  }

  private void forgetBroker() {
    long giveUp = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ACTIVE_MILLIS_MAX);
    while (!forgotten(giveUp)) {
      if (System.nanoTime() - giveUp > 0) {
        throw new KafkaException(
            "its controller did not become active within " + ACTIVE_MILLIS_MAX / 1000 + " s");
      }
      try {
        TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new KafkaException("interrupted while its controller became active", e);
      }
    }
  }

  private boolean forgotten(long giveUp) {
    var context =
        new ControllerRequestContext(
            new RequestHeaderData(), KafkaPrincipal.ANONYMOUS, OptionalLong.empty());
    try {
      long left = Math.max(1, giveUp - System.nanoTime());
      controller.controller().unregisterBroker(context, nodeId).get(left, TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof BrokerIdNotRegisteredException) {
        return true; // the first start
      }
      if (e.getCause() instanceof NotControllerException) {
        return false; // it is still being elected
      }
      throw new KafkaException("its controller cannot forget the broker of before", e.getCause());
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted while its controller became active", e);
    }
  }

  /** Stops the broker, then its controller; returns when both have ended. */
  void shutdown() {
    broker.shutdown();
    controller.shutdown();
    broker.awaitShutdown();
    controller.awaitShutdown();
  }
}
