/** Reading of a region's Redis for people and for comparison; writes nothing. */
@NullMarked
package io.crosstide.control.redis;

import org.jspecify.annotations.NullMarked;
