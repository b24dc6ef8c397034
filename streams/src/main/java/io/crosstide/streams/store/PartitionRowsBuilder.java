package io.crosstide.streams.store;

import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Builds {@link PartitionRows} on RocksDB with a changelog. */
public final class PartitionRowsBuilder implements StoreBuilder<PartitionRows> {
  private final StoreBuilder<KeyValueStore<Bytes, byte[]>> inner;

  /**
   * @param changelogConfig topic settings of the changelog
   */
  public PartitionRowsBuilder(String name, Map<String, String> changelogConfig) {
    // No cache of Kafka Streams': it costs more than RocksDB's own, which holds the same rows.
    inner =
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(name), Serdes.Bytes(), Serdes.ByteArray())
            .withCachingDisabled()
            .withLoggingEnabled(changelogConfig);
  }

  @Override
  public PartitionRows build() {
    return new PartitionRows(inner.build(), new HotRows());
  }

  @Override
  public StoreBuilder<PartitionRows> withCachingEnabled() {
    throw new UnsupportedOperationException("rows hold back by themselves what is worth it");
  }

  @Override
  public StoreBuilder<PartitionRows> withCachingDisabled() {
    return this;
  }

  @Override
  public StoreBuilder<PartitionRows> withLoggingEnabled(Map<String, String> config) {
    inner.withLoggingEnabled(config);
    return this;
  }

  @Override
  public StoreBuilder<PartitionRows> withLoggingDisabled() {
    throw new UnsupportedOperationException("rows without a changelog would be lost with the disk");
  }

  @Override
  public Map<String, String> logConfig() {
    return inner.logConfig();
  }

  @Override
  public boolean loggingEnabled() {
    return inner.loggingEnabled();
  }

  @Override
  public String name() {
    return inner.name();
  }
}
