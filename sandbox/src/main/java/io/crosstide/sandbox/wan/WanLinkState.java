package io.crosstide.sandbox.wan;

/**
 * What a link is set to and what went over it.
 *
 * @param from region whose clients use it
 * @param to region of the server
 * @param address where the clients connect
 * @param cut whether nothing passes
 * @param delayMillis one-way delay from {@code from} to {@code to}
 * @param bytesPerSecond rate from {@code from} to {@code to}; 0 when unlimited
 * @param connections open connections
 * @param bytes bytes that arrived at {@code to} from {@code from}: requests on this link and
 *     answers on the opposite one, since the link was opened
 */
public record WanLinkState(
    String from,
    String to,
    String address,
    boolean cut,
    double delayMillis,
    long bytesPerSecond,
    int connections,
    long bytes) {}
