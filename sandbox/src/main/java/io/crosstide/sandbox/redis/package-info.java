/** Redis as child processes that never outlive the sandbox. */
@NullMarked
package io.crosstide.sandbox.redis;

import org.jspecify.annotations.NullMarked;
