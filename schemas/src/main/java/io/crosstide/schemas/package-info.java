/**
 * What stands in the topics: the Avro schema of change events and its codec, record headers, topic
 * names and settings, and the partitioner.
 */
@NullMarked
package io.crosstide.schemas;

import org.jspecify.annotations.NullMarked;
