/** The rows of a partition in a Kafka Streams store, and the memory that all stores share. */
@NullMarked
package io.crosstide.streams.store;

import org.jspecify.annotations.NullMarked;
