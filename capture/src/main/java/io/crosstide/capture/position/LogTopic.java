package io.crosstide.capture.position;

import io.crosstide.schemas.TopicSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The topic of the region's log: there, and of the shape the protocol needs. */
public final class LogTopic {
  private static final Logger log = LoggerFactory.getLogger(LogTopic.class);
  private static final long TIMEOUT_SECONDS = 15;

  private LogTopic() {}

  /**
   * Creates the topic if it does not exist.
   *
   * @throws IllegalStateException if it has another number of partitions: co-partitioning, and with
   *     it every region's merge, would break
   * @throws org.apache.kafka.common.errors.TimeoutException if Kafka does not answer
   */
  public static void ensure(Map<String, Object> kafka, TopicSpec spec) throws InterruptedException {
    try (Admin admin = Admin.create(settings(kafka))) {
      int actual = partitions(admin, spec.name());
      if (actual == 0) {
        create(admin, spec);
        return;
      }
      if (actual != spec.partitions()) {
        throw new IllegalStateException(
            "topic "
                + spec.name()
                + " has "
                + actual
                + " partitions, the configuration says "
                + spec.partitions()
                + ": all regions must agree, and it cannot be changed once there is data");
      }
    }
  }

  private static Map<String, Object> settings(Map<String, Object> kafka) {
    Map<String, Object> settings = new java.util.HashMap<>(kafka);
    settings.putIfAbsent("default.api.timeout.ms", 10_000);
    settings.putIfAbsent("request.timeout.ms", 5_000);
    settings.putIfAbsent("metric.reporters", "");
    settings.putIfAbsent("enable.metrics.push", false);
    return settings;
  }

  private static int partitions(Admin admin, String topic) throws InterruptedException {
    try {
      TopicDescription description =
          admin
              .describeTopics(List.of(topic))
              .allTopicNames()
              .get(TIMEOUT_SECONDS, TimeUnit.SECONDS)
              .get(topic);
      return description == null ? 0 : description.partitions().size();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return 0;
      }
      throw failure(topic, e);
    } catch (TimeoutException e) {
      throw noAnswer(e);
    }
  }

  private static void create(Admin admin, TopicSpec spec) throws InterruptedException {
    NewTopic topic =
        new NewTopic(spec.name(), Optional.of(spec.partitions()), Optional.empty())
            .configs(spec.configs());
    try {
      admin.createTopics(List.of(topic)).all().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      log.info("created topic {} with {} partitions", spec.name(), spec.partitions());
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw failure(spec.name(), e);
      }
    } catch (TimeoutException e) {
      throw noAnswer(e);
    }
  }

  private static RuntimeException failure(String topic, ExecutionException e) {
    return e.getCause() instanceof RetriableException retriable
        ? retriable
        : new IllegalStateException(
            "Kafka refuses access to topic " + topic + ": " + e.getCause(), e);
  }

  private static org.apache.kafka.common.errors.TimeoutException noAnswer(TimeoutException e) {
    return new org.apache.kafka.common.errors.TimeoutException(
        "Kafka has not answered for " + TIMEOUT_SECONDS + " s", e);
  }
}
