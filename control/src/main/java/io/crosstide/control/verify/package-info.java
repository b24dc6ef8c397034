/** Comparison of all regions' Redis with each other and with the merged state. */
@NullMarked
package io.crosstide.control.verify;

import org.jspecify.annotations.NullMarked;
