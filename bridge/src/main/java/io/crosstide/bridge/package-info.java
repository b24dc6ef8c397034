/**
 * Copies a region's logs into another region's Kafka, pushed from the source.
 *
 * <p>{@link io.crosstide.bridge.Bridge} owns the thread and tries again for ever; a {@code
 * BridgeSession} is one attempt: a consumer at the source, a producer at the target and what is on
 * its way between them.
 */
@NullMarked
package io.crosstide.bridge;

import org.jspecify.annotations.NullMarked;
