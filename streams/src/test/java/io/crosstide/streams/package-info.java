@NullMarked
package io.crosstide.streams;

import org.jspecify.annotations.NullMarked;
