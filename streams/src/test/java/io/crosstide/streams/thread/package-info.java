@NullMarked
package io.crosstide.streams.thread;

import org.jspecify.annotations.NullMarked;
