/**
 * Change events on their way into the region's log, and the knowledge of how far Kafka has
 * acknowledged them.
 */
@NullMarked
package io.crosstide.capture.publish;

import org.jspecify.annotations.NullMarked;
