/** Questions about merged state, answered on the stream thread that owns it. */
@NullMarked
package io.crosstide.streams.query;

import org.jspecify.annotations.NullMarked;
