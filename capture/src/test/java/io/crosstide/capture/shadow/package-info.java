@NullMarked
package io.crosstide.capture.shadow;

import org.jspecify.annotations.NullMarked;
