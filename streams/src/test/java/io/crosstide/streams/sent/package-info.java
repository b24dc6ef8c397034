@NullMarked
package io.crosstide.streams.sent;

import org.jspecify.annotations.NullMarked;
