@NullMarked
package io.crosstide.capture.beacon;

import org.jspecify.annotations.NullMarked;
