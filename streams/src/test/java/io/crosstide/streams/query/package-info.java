/** Tests of what can be asked of merged state. */
@NullMarked
package io.crosstide.streams.query;

import org.jspecify.annotations.NullMarked;
