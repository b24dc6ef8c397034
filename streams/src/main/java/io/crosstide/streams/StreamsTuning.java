package io.crosstide.streams;

import io.crosstide.streams.owner.OwnerSettings;
import java.time.Duration;

/**
 * How a streams role uses its machine. The defaults suit most; each says what goes wrong beyond.
 *
 * @param threads stream threads; partitions are spread over them
 * @param standbyReplicas how many other instances keep a copy of each partition's rows. 0: after a
 *     crash all rows of a partition are read from its changelog before it goes on
 * @param commitInterval how often positions and rows are committed. Too short: each commit costs a
 *     few requests and delays what is processed meanwhile. Too long: more is done again after a
 *     crash
 * @param transactionTimeout how long Kafka waits for an instance that died amidst a transaction
 *     before another may restore its partitions; the same instance, started again on its state
 *     directory, need not wait. Below the longest time one event may take (a delete of a
 *     collection: some 20 µs per element) it makes that event fail again and again
 * @param sessionTimeout how long an instance may be silent before its partitions go to others; one
 *     that is started again on its state directory takes its own back at once. Too short: a long
 *     pause of the process, or a starved machine, moves its partitions for nothing, and what it had
 *     not committed is done again
 * @param backlogEffectsMax as {@link OwnerSettings#backlogEffectsMax}
 * @param backlogBytesMax as {@link OwnerSettings#backlogBytesMax}
 * @param stall as {@link OwnerSettings#stallMillis}
 * @param cacheBytes block cache of all stores in the process, write buffers included; the first
 *     role started decides
 * @param writeBufferBytes of all stores in the process
 */
public record StreamsTuning(
    int threads,
    int standbyReplicas,
    Duration commitInterval,
    Duration transactionTimeout,
    Duration sessionTimeout,
    int backlogEffectsMax,
    long backlogBytesMax,
    Duration stall,
    long cacheBytes,
    long writeBufferBytes) {

  public static StreamsTuning defaults() {
    return new StreamsTuning(
        1,
        0,
        Duration.ofSeconds(5),
        Duration.ofSeconds(60),
        Duration.ofSeconds(20),
        OwnerSettings.BACKLOG_EFFECTS_MAX,
        OwnerSettings.BACKLOG_BYTES_MAX,
        Duration.ofMillis(OwnerSettings.STALL_MILLIS),
        128L << 20,
        32L << 20);
  }

  /** The same with other bounds of what may wait for Redis, and for how long. */
  public StreamsTuning withBacklog(int effectsMax, long bytesMax, Duration stallAfter) {
    return new StreamsTuning(
        threads,
        standbyReplicas,
        commitInterval,
        transactionTimeout,
        sessionTimeout,
        effectsMax,
        bytesMax,
        stallAfter,
        cacheBytes,
        writeBufferBytes);
  }

  /** The same with other numbers of threads and of copies of the rows. */
  public StreamsTuning withInstances(int threadCount, int standbys) {
    return new StreamsTuning(
        threadCount,
        standbys,
        commitInterval,
        transactionTimeout,
        sessionTimeout,
        backlogEffectsMax,
        backlogBytesMax,
        stall,
        cacheBytes,
        writeBufferBytes);
  }

  /** The same with other bounds of RocksDB's memory. */
  public StreamsTuning withMemory(long cache, long writeBuffers) {
    return new StreamsTuning(
        threads,
        standbyReplicas,
        commitInterval,
        transactionTimeout,
        sessionTimeout,
        backlogEffectsMax,
        backlogBytesMax,
        stall,
        cache,
        writeBuffers);
  }

  public StreamsTuning {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " stream threads: at least 1 is needed");
    }
    if (standbyReplicas < 0) {
      throw new IllegalArgumentException(standbyReplicas + " standby replicas");
    }
    if (writeBufferBytes > cacheBytes) {
      throw new IllegalArgumentException(
          "write buffers of "
              + writeBufferBytes
              + " bytes do not fit into a cache of "
              + cacheBytes
              + " bytes, which includes them");
    }
  }
}
