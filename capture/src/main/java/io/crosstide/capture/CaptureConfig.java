package io.crosstide.capture;

import io.crosstide.capture.command.FlushPolicy;
import io.crosstide.capture.psync.RedisEndpoint;
import io.crosstide.capture.rdb.ResyncPolicy;
import io.crosstide.schemas.Limits;
import io.crosstide.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * Everything a capture agent has to be told. Made by {@link #of} with defaults and changed by the
 * {@code with} methods; its text form shows no secrets.
 *
 * @param region name of the region; its log is {@code changes.<region>}. Changing it starts another
 *     log: a new region to all others
 * @param regionId 1..127, fixed for ever; breaks ties. Two regions with one id lose each other's
 *     writes
 * @param redis the Redis to follow. Its user needs PSYNC, REPLCONF, PING, SET on {@code
 *     __ct:beacon}, and what {@link io.crosstide.capture.command.ContentScript} calls
 * @param kafka connection settings for every Kafka client, under Kafka's names
 * @param partitions of the log, the same in every region and for ever; must equal the topic's
 * @param dataDir where the shadow and the position live. Deleting it costs a full resync, and after
 *     effects were applied needs {@link ResyncPolicy#PUBLISH_DIFFERENCES}
 * @param eventBytesMax longest key, name and value of one change. A larger change is refused: it is
 *     counted and logged, other regions keep what they had, and the rest goes on. Refusing one
 *     write is the smaller harm: stopping would let any client halt the region's replication.
 *     Higher than {@link Limits#EVENT_BYTES_MAX} Kafka would refuse it
 * @param inFlightBytesMax what may be sent and not acknowledged. Too low: throughput falls to this
 *     much per round trip; too high: memory
 * @param inFlightRecordsMax likewise, in records; also bounds what the shadow holds back in memory
 * @param clockSkewMax how far a received stamp may carry the clock ahead of the wall clock
 * @param floatIncrements whether writes in the form that Redis gives to float increments count as
 *     increments
 * @param flush what {@code FLUSHDB} and {@code FLUSHALL} mean for other regions
 * @param messages whether what {@code PUBLISH} says is heard in other regions
 * @param resync what to do when a full resync finds effects that nobody remembers sending
 * @param retention of the log's topic if capture creates it
 */
public record CaptureConfig(
    String region,
    int regionId,
    RedisEndpoint redis,
    Map<String, Object> kafka,
    int partitions,
    Path dataDir,
    int eventBytesMax,
    long inFlightBytesMax,
    int inFlightRecordsMax,
    Duration clockSkewMax,
    boolean floatIncrements,
    FlushPolicy flush,
    boolean messages,
    ResyncPolicy resync,
    Duration retention) {
  /** Kafka's own limit has room for context, position and headers besides. */
  public static final int EVENT_BYTES_MAX_DEFAULT = Limits.EVENT_BYTES_MAX;

  public static final long IN_FLIGHT_BYTES_MAX_DEFAULT = 32L << 20;
  public static final int IN_FLIGHT_RECORDS_MAX_DEFAULT = 20_000;
  public static final Duration CLOCK_SKEW_MAX_DEFAULT = Duration.ofSeconds(60);

  public CaptureConfig {
    kafka = Map.copyOf(kafka);
    if (eventBytesMax < 1 || eventBytesMax > EVENT_BYTES_MAX_DEFAULT) {
      throw new IllegalArgumentException(
          "the largest event is set to "
              + eventBytesMax
              + " bytes; it must be 1 to "
              + EVENT_BYTES_MAX_DEFAULT);
    }
    if (partitions < 1) {
      throw new IllegalArgumentException(partitions + " partitions: there must be at least 1");
    }
    if (inFlightBytesMax < 1 || inFlightRecordsMax < 1) {
      throw new IllegalArgumentException("nothing could ever be in flight: raise the limits");
    }
  }

  /** With defaults for everything that has one. */
  public static CaptureConfig of(
      String region,
      int regionId,
      RedisEndpoint redis,
      Map<String, Object> kafka,
      int partitions,
      Path dataDir) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        EVENT_BYTES_MAX_DEFAULT,
        IN_FLIGHT_BYTES_MAX_DEFAULT,
        IN_FLIGHT_RECORDS_MAX_DEFAULT,
        CLOCK_SKEW_MAX_DEFAULT,
        true,
        FlushPolicy.REPLICATE,
        true,
        ResyncPolicy.FAIL,
        Topics.RETENTION_DEFAULT);
  }

  public CaptureConfig withEventBytesMax(int bytes) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        bytes,
        inFlightBytesMax,
        inFlightRecordsMax,
        clockSkewMax,
        floatIncrements,
        flush,
        messages,
        resync,
        retention);
  }

  public CaptureConfig withInFlight(long bytes, int records) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        bytes,
        records,
        clockSkewMax,
        floatIncrements,
        flush,
        messages,
        resync,
        retention);
  }

  public CaptureConfig withClockSkewMax(Duration skew) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        inFlightBytesMax,
        inFlightRecordsMax,
        skew,
        floatIncrements,
        flush,
        messages,
        resync,
        retention);
  }

  public CaptureConfig withFloatIncrements(boolean on) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        inFlightBytesMax,
        inFlightRecordsMax,
        clockSkewMax,
        on,
        flush,
        messages,
        resync,
        retention);
  }

  public CaptureConfig withMessages(boolean on) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        inFlightBytesMax,
        inFlightRecordsMax,
        clockSkewMax,
        floatIncrements,
        flush,
        on,
        resync,
        retention);
  }

  public CaptureConfig withFlush(FlushPolicy policy) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        inFlightBytesMax,
        inFlightRecordsMax,
        clockSkewMax,
        floatIncrements,
        policy,
        messages,
        resync,
        retention);
  }

  public CaptureConfig withResync(ResyncPolicy policy) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        inFlightBytesMax,
        inFlightRecordsMax,
        clockSkewMax,
        floatIncrements,
        flush,
        messages,
        policy,
        retention);
  }

  public CaptureConfig withRetention(Duration time) {
    return new CaptureConfig(
        region,
        regionId,
        redis,
        kafka,
        partitions,
        dataDir,
        eventBytesMax,
        inFlightBytesMax,
        inFlightRecordsMax,
        clockSkewMax,
        floatIncrements,
        flush,
        messages,
        resync,
        time);
  }

  /** The region's log. */
  public String topic() {
    return Topics.changes(region);
  }

  /** Shows no Kafka settings: they may hold secrets. */
  @Override
  public String toString() {
    return "capture of "
        + region
        + " (id "
        + regionId
        + ") from "
        + redis
        + " to "
        + topic()
        + " with "
        + partitions
        + " partitions, data in "
        + dataDir;
  }
}
