package io.crosstide.control.role;

/**
 * What the bridge from one region to another has done and has still to do.
 *
 * @param backlogEvents events in the source's log that the destination has not acknowledged
 * @param lagMillisP50 from a write's stamp to the destination's acknowledgement, median of the last
 *     seconds
 * @param events sent and acknowledged since the bridge started
 * @param payloadBytes of those events before compression
 * @param wireBytes of the compressed batches that carried them
 */
public record PairStats(
    String from,
    String to,
    String state,
    long backlogEvents,
    double lagMillisP50,
    double lagMillisP99,
    long events,
    long payloadBytes,
    long wireBytes) {}
