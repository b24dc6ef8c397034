/**
 * Capture's side of Redis replication: a replica that reads the stream byte-exactly and
 * acknowledges only what is durable elsewhere. Knows nothing of events or Kafka.
 */
@NullMarked
package io.crosstide.capture.psync;

import org.jspecify.annotations.NullMarked;
