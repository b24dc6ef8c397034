package io.crosstide.bridge;

import org.jspecify.annotations.Nullable;

/**
 * Figures of a bridge at one moment; counters count since it was made.
 *
 * @param source name of the source region
 * @param target name of the target region
 * @param state what it is doing
 * @param events events acknowledged by the target
 * @param bytes the same in bytes, uncompressed: keys, values and headers
 * @param wireBytes bytes sent to the target, compressed, with Kafka's framing and retries
 * @param backlogEvents events in the source's log that the target has not acknowledged
 * @param inFlightEvents of these, sent and awaiting acknowledgement
 * @param lagMillis age of the oldest event awaiting acknowledgement, by its stamp; 0 when none does
 * @param lagMillisP50 median, over the last half minute or so, of event age when acknowledged
 * @param lagMillisP99 99th percentile of the same
 * @param fencedEvents events left out because a newer capture had taken over that log
 * @param restarts times that copying was taken up again after an error
 * @param trouble what it waits for, as a sentence; null when nothing is wrong
 */
public record BridgeStats(
    String source,
    String target,
    BridgeState state,
    long events,
    long bytes,
    long wireBytes,
    long backlogEvents,
    long inFlightEvents,
    long lagMillis,
    long lagMillisP50,
    long lagMillisP99,
    long fencedEvents,
    long restarts,
    @Nullable String trouble) {}
