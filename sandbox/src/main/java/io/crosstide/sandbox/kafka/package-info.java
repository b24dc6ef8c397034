/** Kafka brokers in process: real ones (KRaft, one node each), made small. */
@NullMarked
package io.crosstide.sandbox.kafka;

import org.jspecify.annotations.NullMarked;
