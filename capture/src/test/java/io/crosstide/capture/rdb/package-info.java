@NullMarked
package io.crosstide.capture.rdb;

import org.jspecify.annotations.NullMarked;
