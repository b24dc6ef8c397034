/**
 * Where capture goes on after a stop of any kind: the end of the region's own log, proven behind a
 * fence (P16), against which what is derived again is skipped.
 */
@NullMarked
package io.crosstide.capture.position;

import org.jspecify.annotations.NullMarked;
