/**
 * Remembers in Kafka what is sent to Redis, before it is sent, so that capture can tell effects
 * from local writes when all it has is a snapshot (P7).
 */
@NullMarked
package io.crosstide.streams.sent;

import org.jspecify.annotations.NullMarked;
