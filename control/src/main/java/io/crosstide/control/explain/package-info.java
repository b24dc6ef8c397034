/** Why a key has its value: what every Redis holds, the merged state, and a sentence. */
@NullMarked
package io.crosstide.control.explain;

import org.jspecify.annotations.NullMarked;
