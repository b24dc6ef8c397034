package io.crosstide.streams.store;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * RocksDB's settings for all stores of this process, which share one bounded block cache and one
 * budget of write buffers: a task opens its own store, so that anything per store would grow with
 * the partitions.
 *
 * <p>The sizes of the first store opened in a process hold for all of them, in every region.
 */
public final class RocksSettings implements RocksDBConfigSetter {
  /** Key in the Streams configuration: bytes of block cache, write buffers included. */
  public static final String CACHE_BYTES = "crosstide.rocksdb.cache.bytes";

  /** Key in the Streams configuration: how much of the cache write buffers may take. Bytes. */
  public static final String WRITE_BUFFER_BYTES = "crosstide.rocksdb.write.buffer.bytes";

  private static final long BLOCK_BYTES = 8 << 10;
  private static final int BLOOM_BITS_PER_KEY = 10;
  private static final int MEMTABLES_MAX = 3;

  /** The least that a store takes once it is written to: hundreds may be open. */
  private static final long ARENA_BLOCK_BYTES = 64 << 10;

  private static final double MEMTABLE_BLOOM_SHARE = 0.02;

  /**
   * Values from this size on lie in files of their own. In a block with others, one of 60 MB would
   * be read whole for each of its neighbours: two events a second, seen.
   */
  private static final long BLOB_BYTES_MIN = 16 << 10;

  /**
   * Four shards. The default makes each smaller than the filter of a large file, which then never
   * stays in the cache.
   */
  private static final int CACHE_SHARD_BITS = 2;

  /**
   * So many stores of full memtables fit into the budget. With more, each flushes when it is
   * written to while the budget is exceeded; what each has at least, a block and a filter, is
   * beyond it.
   */
  private static final int MEMTABLES_TOGETHER = 12;

  /**
   * Eighths. Partitions fill evenly; of equal sizes, all would be written to disk at the same time
   * and keep both cores from everything else for a while.
   */
  private static final int[] SHARES = {6, 9, 7, 10, 8, 11, 5, 12};

  /** Small files may pile up meanwhile: most reads are answered by {@link HotRows}. */
  private static final int FLUSHES_PER_COMPACTION = 8;

  /**
   * By level, the last for all deeper ones. Kafka Streams has RocksDB compact universally, straight
   * to the deepest level: what is new and soon replaced is not compressed, what stays is.
   */
  private static final List<CompressionType> COMPRESSION =
      List.of(
          CompressionType.NO_COMPRESSION,
          CompressionType.NO_COMPRESSION,
          CompressionType.LZ4_COMPRESSION);

  private static final AtomicInteger opened = new AtomicInteger();

  private static @Nullable Shared shared;

  private @Nullable BloomFilter filter;

  /** Native objects that live as long as the process. */
  private record Shared(Cache cache, WriteBufferManager writeBuffers, long memtableBytes) {}

  private static synchronized Shared shared(Map<String, Object> configs) {
    Shared memory = shared;
    if (memory == null) {
      RocksDB.loadLibrary(); // else the cache's constructor finds no native method
      long cacheBytes = number(configs, CACHE_BYTES, 64L << 20);
      long writeBufferBytes = number(configs, WRITE_BUFFER_BYTES, 32L << 20);
      Cache cache = new LRUCache(cacheBytes, CACHE_SHARD_BITS);
      memory =
          new Shared(
              cache,
              new WriteBufferManager(writeBufferBytes, cache),
              writeBufferBytes / MEMTABLES_TOGETHER);
      shared = memory;
    }
    return memory;
  }

  private static long number(Map<String, Object> configs, String name, long otherwise) {
    Object value = configs.get(name);
    return value == null ? otherwise : Long.parseLong(value.toString());
  }

  @Override
  public void setConfig(String storeName, Options options, Map<String, Object> configs) {
    Shared memory = shared(configs);
    BloomFilter bloom = new BloomFilter(BLOOM_BITS_PER_KEY);
    filter = bloom;
    BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
    table.setBlockCache(memory.cache());
    table.setBlockSize(BLOCK_BYTES);
    table.setFilterPolicy(bloom); // most rows read are of keys not stored yet, or hot ones
    table.setCacheIndexAndFilterBlocks(true);
    table.setPinTopLevelIndexAndFilter(true);
    options.setTableFormatConfig(table);
    options.setWriteBufferManager(memory.writeBuffers());
    options.setWriteBufferSize(memory.memtableBytes() * SHARES[opened.getAndIncrement() & 7] / 8);
    options.setArenaBlockSize(ARENA_BLOCK_BYTES);
    options.setMaxWriteBufferNumber(MEMTABLES_MAX);
    // Tells of most keys that are not stored without a search of the memtable.
    options.setMemtablePrefixBloomSizeRatio(MEMTABLE_BLOOM_SHARE);
    options.setMemtableWholeKeyFiltering(true);
    options.setCompressionPerLevel(COMPRESSION);
    options.setLevel0FileNumCompactionTrigger(FLUSHES_PER_COMPACTION);
    options.setEnableBlobFiles(true);
    options.setMinBlobSize(BLOB_BYTES_MIN);
    options.setBlobCompressionType(CompressionType.LZ4_COMPRESSION);
    options.setEnableBlobGarbageCollection(true);
    options.setKeepLogFileNum(2);
    options.setInfoLogLevel(org.rocksdb.InfoLogLevel.ERROR_LEVEL);
  }

  @Override
  public void close(String storeName, Options options) {
    BloomFilter bloom = filter;
    if (bloom != null) {
      bloom.close();
      filter = null;
    }
  }
}
