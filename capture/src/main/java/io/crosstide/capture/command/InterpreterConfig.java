package io.crosstide.capture.command;

import io.crosstide.crdt.Origin;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;

/**
 * What an interpreter has to know.
 *
 * @param origin the log's writer
 * @param partitions of the log
 * @param captureEpoch this start of capture (P16)
 * @param partitioner partition of a key's bytes, the same in every region
 * @param wallMillis the local wall clock, milliseconds since 1970
 * @param floatIncrements whether {@code HSET} and {@code SET KEEPTTL} in the form that Redis gives
 *     to {@code HINCRBYFLOAT} and {@code INCRBYFLOAT} count as increments. Off: concurrent float
 *     increments do not add up, the later wins. On: a client's own {@code SET k 2.5 KEEPTTL} over
 *     {@code 1.5} is taken for an increment by 1
 * @param flush what {@code FLUSHDB} and {@code FLUSHALL} mean for other regions
 * @param messages whether what {@code PUBLISH} says is heard in other regions
 * @param streamSlackMillis how much later than the last beacon a command may have run: what lags
 *     more is stamped with this time after the beacon, and a {@code DEL} is an expiry if its key's
 *     deadline had passed by then. At least the beacon's period
 * @param eventBytesMax longest key, name and value of one event together; a longer change is not
 *     replicated, and counted
 * @param transactionEventsMax changes of one transaction that are held to be published as one; a
 *     larger transaction is published in pieces that do not appear at once
 */
public record InterpreterConfig(
    Origin origin,
    int partitions,
    int captureEpoch,
    ToIntFunction<byte[]> partitioner,
    LongSupplier wallMillis,
    boolean floatIncrements,
    FlushPolicy flush,
    boolean messages,
    long streamSlackMillis,
    int eventBytesMax,
    int transactionEventsMax) {
  /** Two beacon periods. */
  public static final long STREAM_SLACK_MILLIS = 200;

  /** The promise of DESIGN.md: larger values are refused. */
  public static final int EVENT_BYTES_MAX = 64 << 20;

  public static final int TRANSACTION_EVENTS_MAX = 100_000;

  public InterpreterConfig {
    if (partitions < 1) {
      throw new IllegalArgumentException(partitions + " partitions: there must be at least 1");
    }
    if (transactionEventsMax < 2) {
      throw new IllegalArgumentException(
          "a transaction of at most " + transactionEventsMax + " events is none: allow at least 2");
    }
  }

  /**
   * Longest transaction, in bytes of memory, that is held until its EXEC; also the longest, in
   * bytes of keys and values, whose changes are published to appear at once. As much as one event
   * may have, because a single command may have that anyway.
   */
  public int transactionBytesMax() {
    return eventBytesMax;
  }

  /** The defaults. */
  public static InterpreterConfig of(
      Origin origin,
      int partitions,
      int captureEpoch,
      ToIntFunction<byte[]> partitioner,
      LongSupplier wallMillis) {
    return new InterpreterConfig(
        origin,
        partitions,
        captureEpoch,
        partitioner,
        wallMillis,
        true,
        FlushPolicy.REPLICATE,
        true,
        STREAM_SLACK_MILLIS,
        EVENT_BYTES_MAX,
        TRANSACTION_EVENTS_MAX);
  }

  public InterpreterConfig withFloatIncrements(boolean on) {
    return new InterpreterConfig(
        origin,
        partitions,
        captureEpoch,
        partitioner,
        wallMillis,
        on,
        flush,
        messages,
        streamSlackMillis,
        eventBytesMax,
        transactionEventsMax);
  }

  public InterpreterConfig withMessages(boolean on) {
    return new InterpreterConfig(
        origin,
        partitions,
        captureEpoch,
        partitioner,
        wallMillis,
        floatIncrements,
        flush,
        on,
        streamSlackMillis,
        eventBytesMax,
        transactionEventsMax);
  }

  public InterpreterConfig withFlush(FlushPolicy policy) {
    return new InterpreterConfig(
        origin,
        partitions,
        captureEpoch,
        partitioner,
        wallMillis,
        floatIncrements,
        policy,
        messages,
        streamSlackMillis,
        eventBytesMax,
        transactionEventsMax);
  }

  public InterpreterConfig withLimits(int eventBytes, int transactionEvents) {
    return new InterpreterConfig(
        origin,
        partitions,
        captureEpoch,
        partitioner,
        wallMillis,
        floatIncrements,
        flush,
        messages,
        streamSlackMillis,
        eventBytes,
        transactionEvents);
  }

  public InterpreterConfig withStreamSlackMillis(long millis) {
    return new InterpreterConfig(
        origin,
        partitions,
        captureEpoch,
        partitioner,
        wallMillis,
        floatIncrements,
        flush,
        messages,
        millis,
        eventBytesMax,
        transactionEventsMax);
  }
}
