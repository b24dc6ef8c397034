@NullMarked
package io.crosstide.capture.publish;

import org.jspecify.annotations.NullMarked;
