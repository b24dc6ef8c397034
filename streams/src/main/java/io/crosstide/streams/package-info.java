/**
 * The streams role: a Kafka Streams application per region that consumes the logs of all regions,
 * merges them into rows, and has the difference written to the region's Redis.
 */
@NullMarked
package io.crosstide.streams;

import org.jspecify.annotations.NullMarked;
