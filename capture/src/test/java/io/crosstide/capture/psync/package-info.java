@NullMarked
package io.crosstide.capture.psync;

import org.jspecify.annotations.NullMarked;
