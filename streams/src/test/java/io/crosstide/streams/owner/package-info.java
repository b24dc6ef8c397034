@NullMarked
package io.crosstide.streams.owner;

import org.jspecify.annotations.NullMarked;
