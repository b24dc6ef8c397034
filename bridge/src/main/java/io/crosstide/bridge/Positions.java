package io.crosstide.bridge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides where copying starts: from what this process knows, else from what the bridge's group
 * stored, checked against what both logs really hold. Confined to the bridge's thread.
 */
final class Positions {
  private static final Logger log = LoggerFactory.getLogger(Positions.class);
  private static final Duration SOURCE_TIMEOUT = Duration.ofSeconds(10);

  private final BridgeConfig config;
  private final Map<TopicPartition, ResumePoint> remembered = new HashMap<>();

  Positions(BridgeConfig config) {
    this.config = config;
  }

  /** Keeps where a session ended: newer than what is stored. */
  void remember(Map<TopicPartition, ResumePoint> points) {
    remembered.putAll(points);
  }

  /** Number of partitions by topic, for those of ours that the source has. */
  Map<String, Integer> topicsAtSource(KafkaConsumer<byte[], byte[]> reading) {
    Map<String, Integer> found = new HashMap<>();
    for (String topic : config.topics()) {
      List<PartitionInfo> partitions = reading.partitionsFor(topic, SOURCE_TIMEOUT);
      if (partitions != null && !partitions.isEmpty()) {
        found.put(topic, partitions.size());
      }
    }
    if (found.isEmpty()) {
      throw new KafkaException(
          "none of the topics " + config.topics() + " exists at " + config.source() + " yet");
    }
    return found;
  }

  /** What this bridge knows from an earlier attempt, else what its group stored, else nothing. */
  Map<TopicPartition, ResumePoint> stored(
      KafkaConsumer<byte[], byte[]> reading, Map<String, Integer> atSource) {
    Set<TopicPartition> all = new HashSet<>();
    atSource.forEach(
        (topic, partitions) -> {
          for (int p = 0; p < partitions; p++) {
            all.add(new TopicPartition(topic, p));
          }
        });
    // Offsets of partitions that are not assigned would be asked for, and then warned about.
    reading.assign(all);
    Map<TopicPartition, OffsetAndMetadata> committed = reading.committed(all, SOURCE_TIMEOUT);
    Map<TopicPartition, Long> beginnings = reading.beginningOffsets(all, SOURCE_TIMEOUT);
    Map<TopicPartition, Long> ends = reading.endOffsets(all, SOURCE_TIMEOUT);
    Map<TopicPartition, ResumePoint> points = new HashMap<>();
    for (TopicPartition tp : all) {
      ResumePoint known = remembered.get(tp);
      OffsetAndMetadata stored = committed.get(tp);
      long begin = beginnings.getOrDefault(tp, 0L);
      if (known == null) {
        known = stored == null ? new ResumePoint(begin, null, -1) : ResumePoint.ofCommit(stored);
      }
      points.put(tp, stillThere(tp, known, begin, ends.getOrDefault(tp, begin)));
    }
    return points;
  }

  /** The point itself, or the log's beginning when the source no longer has what follows it. */
  private ResumePoint stillThere(TopicPartition tp, ResumePoint point, long begin, long end) {
    if (point.position() >= begin && point.position() <= end) {
      return point;
    }
    if (point.position() < begin) {
      log.error(
          "Bridge {}: the source's log {} begins at {}, but {} was still to be copied: the outage"
              + " was longer than the log's retention. Re-seed {} from a snapshot.",
          config.link(),
          tp,
          begin,
          point.position(),
          config.target());
    } else {
      log.error(
          "Bridge {}: the source's log {} ends at {}, but was copied up to {}: the source lost its"
              + " log. Copying starts again from its beginning.",
          config.link(),
          tp,
          end,
          point.position());
    }
    return new ResumePoint(begin, point.targetTopic(), point.targetOffset());
  }

  /** Events at the source that follow {@code points}. */
  long backlog(KafkaConsumer<byte[], byte[]> reading, Map<TopicPartition, ResumePoint> points) {
    long sum = 0;
    for (Map.Entry<TopicPartition, Long> end :
        reading.endOffsets(points.keySet(), SOURCE_TIMEOUT).entrySet()) {
      ResumePoint point = Objects.requireNonNull(points.get(end.getKey()));
      sum += Math.max(0, end.getValue() - point.position());
    }
    return sum;
  }

  /** Positions to start from, for the topics that both sides have, checked against the target. */
  Map<TopicPartition, ResumePoint> starts(
      KafkaConsumer<byte[], byte[]> reading,
      Map<TopicPartition, ResumePoint> points,
      TargetTopics target) {
    Map<TopicPartition, ResumePoint> starts = new HashMap<>();
    Map<String, Integer> counts = new HashMap<>();
    points.keySet().forEach(tp -> counts.merge(tp.topic(), 1, Integer::sum));
    List<TopicPartition> lost = new ArrayList<>();
    points.forEach(
        (tp, point) -> {
          TargetTopics.Topic topic = target.topics().get(tp.topic());
          if (topic == null) {
            return;
          }
          requireSamePartitions(
              tp.topic(), counts.getOrDefault(tp.topic(), 0), topic.ends().size());
          long end = topic.ends().getOrDefault(tp.partition(), 0L);
          if (point.isHeldBy(topic.id(), end)) {
            starts.put(tp, new ResumePoint(point.position(), topic.id(), point.targetOffset()));
          } else {
            lost.add(tp);
            starts.put(tp, new ResumePoint(0, topic.id(), -1));
          }
        });
    if (!lost.isEmpty()) {
      log.warn(
          "Bridge {}: {} no longer holds what it acknowledged of {}; copying starts again from the"
              + " beginning of the source's log",
          config.link(),
          config.target(),
          lost);
      reading
          .beginningOffsets(lost, SOURCE_TIMEOUT)
          .forEach((tp, begin) -> starts.put(tp, restartAt(begin, starts, tp)));
    }
    return starts;
  }

  private static ResumePoint restartAt(
      long begin, Map<TopicPartition, ResumePoint> starts, TopicPartition tp) {
    Uuid topic = Objects.requireNonNull(starts.get(tp)).targetTopic();
    return new ResumePoint(begin, topic, -1);
  }

  private void requireSamePartitions(String topic, int atSource, int atTarget) {
    if (atSource != atTarget) {
      throw new KafkaException(
          "topic "
              + topic
              + " has "
              + atSource
              + " partitions at "
              + config.source()
              + " and "
              + atTarget
              + " at "
              + config.target()
              + ": logs must be co-partitioned, recreate one of them");
    }
  }

  /** Names of the topics among {@code starts}. */
  static Set<String> topics(Map<TopicPartition, ResumePoint> starts) {
    Set<String> topics = new HashSet<>();
    starts.keySet().forEach(tp -> topics.add(tp.topic()));
    return topics;
  }
}
