/** Topics as the streams role needs them: created, checked, and where they end. */
@NullMarked
package io.crosstide.streams.topics;

import org.jspecify.annotations.NullMarked;
