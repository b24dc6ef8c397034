package io.crosstide.bridge;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the target's Kafka has of the logs to be copied.
 *
 * @param topics by name, those that exist
 * @param roundTripNanos duration of the quickest question, in ns
 */
record TargetTopics(Map<String, Topic> topics, long roundTripNanos) {

  private static final Logger log = LoggerFactory.getLogger(TargetTopics.class);

  /**
   * One topic at the target.
   *
   * @param ends end offset by partition
   */
  record Topic(Uuid id, Map<Integer, Long> ends) {}

  /**
   * Asks the target.
   *
   * @throws KafkaException it does not answer in time or refuses
   */
  static TargetTopics ask(Admin admin, Collection<String> names, Duration timeout)
      throws InterruptedException {
    Map<String, TopicDescription> described = new HashMap<>();
    long quickest = Long.MAX_VALUE;
    for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
        admin.describeTopics(names).topicNameValues().entrySet()) {
      try {
        described.put(topic.getKey(), get(topic.getValue(), timeout));
      } catch (UnknownTopicOrPartitionException absent) {
        log.debug("Topic {} is not there yet; asked again later", topic.getKey());
      }
    }
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    described.forEach(
        (name, topic) ->
            topic
                .partitions()
                .forEach(
                    p -> wanted.put(new TopicPartition(name, p.partition()), OffsetSpec.latest())));
    Map<String, Topic> topics = new HashMap<>();
    described.forEach(
        (name, topic) -> topics.put(name, new Topic(topic.topicId(), new HashMap<>())));
    if (!wanted.isEmpty()) {
      long start = System.nanoTime();
      Map<TopicPartition, ListOffsetsResultInfo> ends =
          get(admin.listOffsets(wanted).all(), timeout);
      quickest = System.nanoTime() - start;
      ends.forEach(
          (tp, info) -> {
            Topic topic = topics.get(tp.topic());
            if (topic != null) {
              topic.ends().put(tp.partition(), info.offset());
            }
          });
    }
    return new TargetTopics(topics, quickest);
  }

  private static <T> T get(KafkaFuture<T> future, Duration timeout) throws InterruptedException {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KafkaException kafka) {
        throw kafka;
      }
      throw new KafkaException("The target's Kafka cannot be asked", e.getCause());
    } catch (TimeoutException e) {
      throw new KafkaException("no answer within " + timeout.toSeconds() + " s", e);
    }
  }
}
