@NullMarked
package io.crosstide.streams.topics;

import org.jspecify.annotations.NullMarked;
