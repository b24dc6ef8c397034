/**
 * A schema registry inside the sandbox: enough of Confluent's REST API for Confluent's own client,
 * its schemas in a compacted Kafka topic.
 */
@NullMarked
package io.crosstide.sandbox.registry;

import org.jspecify.annotations.NullMarked;
