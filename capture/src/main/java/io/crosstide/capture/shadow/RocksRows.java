package io.crosstide.capture.shadow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteBufferManager;
import org.rocksdb.WriteOptions;

/**
 * Rows in RocksDB.
 *
 * <p>The write-ahead log is on but not synced: a killed process loses nothing; a machine that loses
 * power may lose the last commits, whole ones and from the end, which leaves an older shadow with
 * its older checkpoint. Memory is the block cache, which index blocks, filters and write buffers
 * are charged to.
 */
final class RocksRows implements RowStore {
  private static final long MIB = 1L << 20;
  private static final int BLOOM_BITS_PER_ROW = 10;

  /**
   * Two shards. The default of 64 makes each smaller than the filter of a large file, which then
   * never stays in the cache: every read loads megabytes (360 µs instead of 5, seen).
   */
  private static final int CACHE_SHARD_BITS = 1;

  private static final double CACHE_SHARE_OF_INDEX_AND_FILTERS = 0.5;

  /**
   * Values from this size on lie in files of their own: a snapshot's copy holds them, and the
   * shadow for very long names. In a block with others, one of 60 MB would be read whole for each
   * of its neighbours.
   */
  private static final long BLOB_BYTES_MIN = 16 << 10;

  /**
   * The budget of write buffers is so many memtables. An insertion into one of 4 MB finds its place
   * within the processor's cache, more or less, into one of 8 MB it does not.
   */
  private static final int MEMTABLES = 4;

  /** Small files may pile up meanwhile: most reads are answered by the rows kept on the heap. */
  private static final int FLUSHES_PER_COMPACTION = 8;

  /**
   * By level, the last for all deeper ones. The first two are rewritten all the time, and all that
   * there is of a small data set.
   */
  private static final List<CompressionType> COMPRESSION =
      List.of(
          CompressionType.NO_COMPRESSION,
          CompressionType.NO_COMPRESSION,
          CompressionType.LZ4_COMPRESSION);

  static {
    RocksDB.loadLibrary();
  }

  private final List<AutoCloseable> resources = new ArrayList<>();
  private final RocksDB db;
  private final ReadOptions scanOptions;
  private final WriteOptions writeOptions;
  private boolean closed;

  RocksRows(Path dir, ShadowOptions options) {
    LRUCache cache =
        own(
            new LRUCache(
                options.cacheBytes(), CACHE_SHARD_BITS, false, CACHE_SHARE_OF_INDEX_AND_FILTERS));
    WriteBufferManager buffers = own(new WriteBufferManager(options.writeBufferBytes(), cache));
    BlockBasedTableConfig table =
        new BlockBasedTableConfig()
            .setBlockCache(cache)
            .setCacheIndexAndFilterBlocks(true)
            .setCacheIndexAndFilterBlocksWithHighPriority(true)
            .setPinL0FilterAndIndexBlocksInCache(true)
            .setFilterPolicy(own(new BloomFilter(BLOOM_BITS_PER_ROW)));
    Options settings =
        own(new Options())
            .setCreateIfMissing(true)
            .setTableFormatConfig(table)
            .setWriteBufferManager(buffers)
            .setMaxWriteBufferNumber(MEMTABLES)
            .setWriteBufferSize(Math.max(MIB, options.writeBufferBytes() / MEMTABLES))
            .setMaxTotalWalSize(4 * options.writeBufferBytes())
            .setLevelCompactionDynamicLevelBytes(true)
            .setCompressionPerLevel(COMPRESSION)
            .setLevel0FileNumCompactionTrigger(FLUSHES_PER_COMPACTION)
            .setEnableBlobFiles(true)
            .setMinBlobSize(BLOB_BYTES_MIN)
            .setBlobCompressionType(CompressionType.LZ4_COMPRESSION)
            .setEnableBlobGarbageCollection(true)
            .setMaxBackgroundJobs(2)
            .setMaxOpenFiles(256)
            .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
            .setKeepLogFileNum(2)
            .setStatsDumpPeriodSec(0)
            .setAvoidFlushDuringShutdown(true);
    scanOptions = own(new ReadOptions());
    writeOptions = own(new WriteOptions()).setDisableWAL(options.disposable());
    try {
      Files.createDirectories(dir);
      db = RocksDB.open(settings, dir.toString());
    } catch (RocksDBException e) {
      closeResources();
      throw new ShadowStoreException(
          "cannot open the shadow in "
              + dir
              + ": "
              + e.getMessage()
              + ". If another capture runs on this directory, stop it; if the files are damaged,"
              + " delete the directory to have the shadow rebuilt by a full resync",
          e);
    } catch (IOException e) {
      closeResources();
      throw new UncheckedIOException("cannot create the shadow's directory " + dir, e);
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.add(resource);
    return resource;
  }

  @Override
  public byte @Nullable [] get(byte[] row) {
    try {
      return db.get(row);
    } catch (RocksDBException e) {
      throw failed("read", e);
    }
  }

  @Override
  public RowScan scan(byte[] from, byte[] to, boolean descending) {
    return new Scan(from, to, descending);
  }

  @Override
  public void write(Consumer<RowBatch> writer) {
    try (WriteBatch batch = new WriteBatch()) {
      writer.accept(new Batch(batch));
      db.write(writeOptions, batch);
    } catch (RocksDBException e) {
      throw failed("write", e);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      db.close();
      closeResources();
    }
  }

  /** In reverse order: options refer to the filter, buffers and cache made before them. */
  private void closeResources() {
    for (int i = resources.size() - 1; i >= 0; i--) {
      ((org.rocksdb.AbstractImmutableNativeReference) resources.get(i)).close();
    }
    resources.clear();
  }

  private static ShadowStoreException failed(String what, RocksDBException e) {
    return new ShadowStoreException(
        "cannot "
            + what
            + " the shadow: "
            + e.getMessage()
            + ". Capture stops with its last checkpoint; check the disk's space and health",
        e);
  }

  private record Batch(WriteBatch batch) implements RowBatch {
    @Override
    public void put(byte[] row, byte[] value) {
      try {
        batch.put(row, value);
      } catch (RocksDBException e) {
        throw failed("write", e);
      }
    }

    @Override
    public void delete(byte[] row) {
      try {
        batch.delete(row);
      } catch (RocksDBException e) {
        throw failed("write", e);
      }
    }

    @Override
    public void deleteRange(byte[] from, byte[] to) {
      try {
        batch.deleteRange(from, to);
      } catch (RocksDBException e) {
        throw failed("write", e);
      }
    }
  }

  private final class Scan implements RowScan {
    private final Slice lower;
    private final Slice upper;
    private final ReadOptions bounds;
    private final RocksIterator iterator;
    private final boolean descending;
    private boolean started;

    Scan(byte[] from, byte[] to, boolean descending) {
      this.descending = descending;
      lower = new Slice(from);
      upper = new Slice(to);
      bounds = new ReadOptions(scanOptions).setIterateLowerBound(lower).setIterateUpperBound(upper);
      iterator = db.newIterator(bounds);
    }

    @Override
    public boolean next() {
      if (!started) {
        started = true;
        if (descending) {
          iterator.seekToLast();
        } else {
          iterator.seekToFirst();
        }
      } else if (iterator.isValid()) {
        if (descending) {
          iterator.prev();
        } else {
          iterator.next();
        }
      }
      if (iterator.isValid()) {
        return true;
      }
      try {
        iterator.status();
      } catch (RocksDBException e) {
        throw failed("read", e);
      }
      return false;
    }

    @Override
    public byte[] row() {
      return iterator.key();
    }

    @Override
    public byte[] value() {
      return iterator.value();
    }

    @Override
    public void close() {
      iterator.close();
      bounds.close();
      lower.close();
      upper.close();
    }
  }
}
