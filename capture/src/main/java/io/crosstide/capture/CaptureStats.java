package io.crosstide.capture;

import java.util.Map;

/**
 * What a capture agent has done since it started, at one moment. Counts begin at 0 with every
 * start.
 *
 * @param state what it is doing
 * @param sentence the state in words: why it is disconnected or failed, else what it follows
 * @param captureEpoch of this start (P16); 0 before the log is fenced
 * @param commands commands read off the replication stream
 * @param eventsCaptured events of local writes published, control events not counted
 * @param controlEvents beats and lost markers published
 * @param markersSeen effect batches of the region's own streams stage recognised
 * @param echoes commands recognised as effects and not published
 * @param acknowledged records acknowledged by Kafka, control events included
 * @param unsupported writes that do not reach the other regions, by command name, and keys of
 *     snapshots by {@code snapshot: <type>}
 * @param local commands that concern only this Redis, by name
 * @param readOffset replOffset read so far
 * @param durableOffset replOffset up to which everything is in Kafka: what Redis is told, and
 *     {@code WAIT} sees
 * @param lagBytes bytes of the replication stream read and not yet durable
 * @param lagMillis age of the last beacon read: how far reading is behind Redis
 * @param inFlightRecords records sent and not acknowledged
 * @param inFlightBytes their size
 * @param fullResyncs snapshots read
 * @param reconnects connections to Redis made, less the first
 * @param clockSkewMillis how far the last received stamp was ahead of the wall clock
 */
public record CaptureStats(
    CaptureState state,
    String sentence,
    int captureEpoch,
    long commands,
    long eventsCaptured,
    long controlEvents,
    long markersSeen,
    long echoes,
    long acknowledged,
    Map<String, Long> unsupported,
    Map<String, Long> local,
    long readOffset,
    long durableOffset,
    long lagBytes,
    long lagMillis,
    int inFlightRecords,
    long inFlightBytes,
    long fullResyncs,
    long reconnects,
    long clockSkewMillis) {
  public CaptureStats {
    unsupported = Map.copyOf(unsupported);
    local = Map.copyOf(local);
  }
}
