@NullMarked
package io.crosstide.streams.store;

import org.jspecify.annotations.NullMarked;
