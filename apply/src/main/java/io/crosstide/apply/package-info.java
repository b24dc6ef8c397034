/**
 * Writes effects into a region's Redis, atomically and exactly once. Stands on {@code protocol} and
 * knows nothing of Kafka.
 */
@NullMarked
package io.crosstide.apply;

import org.jspecify.annotations.NullMarked;
