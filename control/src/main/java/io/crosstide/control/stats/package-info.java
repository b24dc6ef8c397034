/** What the processes of a deployment have counted, gathered and put together. */
@NullMarked
package io.crosstide.control.stats;

import org.jspecify.annotations.NullMarked;
