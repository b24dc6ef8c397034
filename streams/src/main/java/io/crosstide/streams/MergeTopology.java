package io.crosstide.streams;

import io.crosstide.schemas.Limits;
import io.crosstide.schemas.Topics;
import io.crosstide.streams.store.PartitionRowsBuilder;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;

/**
 * The topology: the logs of all regions into one merge, one task per partition.
 *
 * <pre>
 *   changes.a ─┐
 *   changes.b ─┼─▶ merge ──▶ effects to Redis (beside Kafka's transaction)
 *   changes.c ─┘     │
 *                    └────▶ rows, with changelog
 * </pre>
 */
final class MergeTopology {
  static final String LOGS = "logs";
  static final String MERGE = "merge";
  static final String ROWS = "rows";

  private MergeTopology() {}

  /**
   * @param regions names of all regions
   */
  static Topology of(Collection<String> regions, MergeProcessor.Shared shared) {
    String[] topics = regions.stream().sorted().map(Topics::changes).toArray(String[]::new);
    return new Topology()
        .addSource(LOGS, new ByteArrayDeserializer(), new ByteArrayDeserializer(), topics)
        .addProcessor(MERGE, new Supplier(shared), LOGS);
  }

  private record Supplier(MergeProcessor.Shared shared)
      implements ProcessorSupplier<byte[], byte[], Void, Void> {
    @Override
    public Processor<byte[], byte[], Void, Void> get() {
      return new MergeProcessor(shared);
    }

    @Override
    public Set<StoreBuilder<?>> stores() {
      return Set.of(
          new PartitionRowsBuilder(
              ROWS,
              Map.of(
                  // A row holds all concurrent writes of one element.
                  "max.message.bytes", Integer.toString(Limits.RECORD_BYTES_MAX))));
    }
  }
}
