package io.crosstide.streams.topics;

import io.crosstide.schemas.TopicSpec;
import io.crosstide.schemas.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Brings one region's topics into being. May be run by any number of processes, at once and again:
 * what exists is left as it is, but must have the right number of partitions.
 */
public final class TopicsAdmin {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Admin admin;

  public TopicsAdmin(Admin admin) {
    this.admin = admin;
  }

  /**
   * The topics that every region's Kafka holds: its own log and its copies of the others', and what
   * the merge writes.
   */
  public static List<TopicSpec> ofRegion(
      String region, Collection<String> regions, int partitions, Duration retention) {
    List<TopicSpec> specs = new ArrayList<>();
    for (String each : regions) {
      specs.add(Topics.changesSpec(each, partitions, retention));
    }
    specs.add(Topics.conflictsSpec(region, partitions));
    specs.add(Topics.deadLettersSpec(region));
    specs.add(Topics.sentEffectsSpec(region, partitions));
    return specs;
  }

  /**
   * Creates those of {@code specs} that are missing.
   *
   * @throws TopicMismatchException one exists with another number of partitions: keys would be
   *     looked for in the wrong place
   * @throws org.apache.kafka.common.KafkaException Kafka cannot be asked now; try again
   */
  public void ensure(Collection<TopicSpec> specs) {
    Map<String, Integer> present = partitions(specs.stream().map(TopicSpec::name).toList());
    List<NewTopic> missing = new ArrayList<>();
    for (TopicSpec spec : specs) {
      if (!present.containsKey(spec.name())) {
        missing.add(
            new NewTopic(spec.name(), Optional.of(spec.partitions()), Optional.empty())
                .configs(spec.configs()));
      }
    }
    if (!missing.isEmpty()) {
      for (KafkaFuture<Void> created : admin.createTopics(missing).values().values()) {
        try {
          get(created);
        } catch (TopicExistsException byAnotherProcess) {
          // It is checked below like all others.
        }
      }
      present = partitions(specs.stream().map(TopicSpec::name).toList());
    }
    for (TopicSpec spec : specs) {
      Integer partitions = present.get(spec.name());
      if (partitions != null && partitions != spec.partitions()) {
        throw new TopicMismatchException(
            "Topic "
                + spec.name()
                + " has "
                + partitions
                + " partitions, but the configuration says "
                + spec.partitions()
                + ": the number is the same in every region and never changes. Correct the"
                + " configuration, or move to new topics.");
      }
    }
  }

  private Map<String, Integer> partitions(List<String> names) {
    Map<String, Integer> present = new HashMap<>();
    admin
        .describeTopics(names)
        .topicNameValues()
        .forEach(
            (name, future) -> {
              try {
                TopicDescription description = get(future);
                present.put(name, description.partitions().size());
              } catch (UnknownTopicOrPartitionException absent) {
                // What is missing is created.
              }
            });
    return present;
  }

  private static <T> T get(KafkaFuture<T> future) {
    try {
      return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new org.apache.kafka.common.KafkaException(e.getCause());
    } catch (TimeoutException e) {
      throw new org.apache.kafka.common.errors.TimeoutException(
          "Kafka did not answer within " + TIMEOUT.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new org.apache.kafka.common.errors.InterruptException(e);
    }
  }
}
