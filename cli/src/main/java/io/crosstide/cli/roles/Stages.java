package io.crosstide.cli.roles;

import io.crosstide.control.stats.ProcessCpu.Stage;
import java.util.List;
import java.util.regex.Pattern;

/** Which threads belong to which stage, for CPU time. */
public final class Stages {
  private static final Pattern BROKER =
      Pattern.compile(
          "^(kafka-(log|scheduler|request|network|raft|\\d)|data-plane|raft-|quorum-|controller-"
              + "|broker-|log-|group-|metadata|share-|transaction|Txn|ExpirationReaper|executor-"
              + "|BrokerLifecycle|Sensor|LogDir|group-coordinator|.*kafka-network-thread).*");

  private Stages() {}

  /** In the order in which they claim threads. */
  public static List<Stage> all() {
    return List.of(
        clients("capture", "capture-"),
        clients("bridge", "bridge-"),
        new Stage("streams", name -> name.contains("StreamThread") || name.contains("crosstide.")),
        new Stage("apply", name -> name.contains("lettuce-")),
        new Stage("wan", name -> name.startsWith("wan-")),
        new Stage("registry", name -> name.startsWith("schema-registry")),
        new Stage("http", name -> name.startsWith("qtp") || name.contains("Jetty")),
        new Stage("kafka", name -> BROKER.matcher(name).matches()));
  }

  /** Threads of a stage, and Kafka client threads that carry its client id. */
  private static Stage clients(String stage, String prefix) {
    return new Stage(stage, name -> name.startsWith(prefix) || name.contains("| " + prefix));
  }
}
