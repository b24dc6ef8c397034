package io.crosstide.capture.shadow;

import io.crosstide.schemas.Limits;

/**
 * How a shadow keeps its rows.
 *
 * @param inlineBytesMax values up to this many bytes are kept as they are, longer ones as their
 *     SHA-1. Too low: increments of long numbers are no longer recognised; too high: the shadow
 *     grows towards the size of the data set
 * @param partsBytesMax the same for a string whose last change was of a part of it ({@code APPEND},
 *     {@code SETBIT}), and for elements of lists, which {@code LMOVE} moves without showing them.
 *     Too low: each such change has the value, or the whole target list, read back from Redis; too
 *     high: as above, and every change of a string rewrites a row of this size
 * @param disposable the shadow is thrown away with its process: no log, no units; writes go to disk
 *     in chunks as they come and {@link Shadow#commitThrough} has nothing to hold back
 * @param cacheBytes RocksDB's block cache, index and filter blocks and write buffers included. Too
 *     low for the elements in use (about 64 bytes each): a command costs a read and a
 *     decompression, several times what it costs otherwise
 * @param writeBufferBytes of {@code cacheBytes}, what unflushed writes may take
 * @param rowCacheBytes heap for short rows last used, beside {@code cacheBytes}. Too low for the
 *     elements in use (128 bytes each): every command reads RocksDB, at three times the cost
 */
public record ShadowOptions(
    int inlineBytesMax,
    int partsBytesMax,
    boolean disposable,
    long cacheBytes,
    long writeBufferBytes,
    int rowCacheBytes) {
  private static final long MIB = 1L << 20;

  private static final int PARTS_BYTES_MAX = 16 << 10;

  public static ShadowOptions defaults() {
    return new ShadowOptions(
        64, PARTS_BYTES_MAX, false, 128 * MIB, 16 * MIB, rowCacheBytesForHeap());
  }

  /** Of each capture: 16 MB of a heap of 1 GB or less, 32 MB of 2 GB, 64 MB of 4 GB and more. */
  private static int rowCacheBytesForHeap() {
    long share = Runtime.getRuntime().maxMemory() / 64;
    return (int) Math.min(64 * MIB, Math.max(16 * MIB, share));
  }

  /**
   * For a copy that must hold whole values and dies with its process. What is longer than any event
   * may be is not needed whole.
   */
  public static ShadowOptions staging() {
    return new ShadowOptions(
        Limits.EVENT_BYTES_MAX, Limits.EVENT_BYTES_MAX, true, 32 * MIB, 16 * MIB, 0);
  }

  /** The same with another row cache. */
  public ShadowOptions withRowCacheBytes(int bytes) {
    return new ShadowOptions(
        inlineBytesMax, partsBytesMax, disposable, cacheBytes, writeBufferBytes, bytes);
  }
}
