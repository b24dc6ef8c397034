/** Wakes a stream thread that waits in poll, so that answers are handled at once. */
@NullMarked
package io.crosstide.streams.thread;

import org.jspecify.annotations.NullMarked;
