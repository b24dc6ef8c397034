package io.crosstide.schemas;

import java.util.Map;

/**
 * A topic as Crosstide creates it.
 *
 * @param partitions the same in every region for co-partitioned topics
 * @param configs topic-level settings, as Kafka names them
 */
public record TopicSpec(String name, int partitions, Map<String, String> configs) {
  public TopicSpec {
    configs = Map.copyOf(configs);
    if (partitions < 1) {
      throw new IllegalArgumentException(
          "topic " + name + " with " + partitions + " partitions: at least 1 is needed");
    }
  }
}
