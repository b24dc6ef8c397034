package io.crosstide.sandbox;

import io.crosstide.schemas.TopicSpec;
import io.crosstide.schemas.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Creates the topics of a region before its stages start, so that none waits for another's: the
 * logs of all regions, and the region's own topics.
 */
final class SandboxTopics {
  private static final int TIMEOUT_SECONDS = 120;

  private SandboxTopics() {}

  static void create(SandboxRegion region, List<String> allRegions, int partitions) {
    List<TopicSpec> specs = new ArrayList<>();
    for (String name : allRegions) {
      specs.add(Topics.changesSpec(name, partitions, Topics.RETENTION_DEFAULT));
    }
    specs.add(Topics.conflictsSpec(region.name(), partitions));
    specs.add(Topics.deadLettersSpec(region.name()));
    specs.add(Topics.sentEffectsSpec(region.name(), partitions));
    List<NewTopic> topics = new ArrayList<>();
    for (TopicSpec spec : specs) {
      topics.add(
          new NewTopic(spec.name(), Optional.of(spec.partitions()), Optional.empty())
              .configs(spec.configs()));
    }
    Map<String, Object> client =
        Map.of(
            "bootstrap.servers",
            region.kafkaBootstrap(),
            "metric.reporters",
            "",
            "enable.metrics.push",
            "false",
            "default.api.timeout.ms",
            String.valueOf(TIMEOUT_SECONDS * 1000));
    try (Admin admin = Admin.create(client)) {
      for (KafkaFuture<Void> created : admin.createTopics(topics).values().values()) {
        awaitCreated(region, created);
      }
    }
  }

  private static void awaitCreated(SandboxRegion region, KafkaFuture<Void> created) {
    try {
      created.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new SandboxException(
            "The topics of " + region.name() + " cannot be created: " + e.getCause() + ".", e);
      }
    } catch (TimeoutException e) {
      throw new SandboxException(
          "The Kafka of "
              + region.name()
              + " created no topics within "
              + TIMEOUT_SECONDS
              + " s: see the log.",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SandboxException(
          "Interrupted while creating the topics of " + region.name() + ".", e);
    }
  }
}
