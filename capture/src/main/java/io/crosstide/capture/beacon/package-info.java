/** The wall clock that capture writes into the replication stream it reads. */
@NullMarked
package io.crosstide.capture.beacon;

import org.jspecify.annotations.NullMarked;
