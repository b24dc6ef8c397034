/** The control plane of one process: everything that watches and asks, put together. */
@NullMarked
package io.crosstide.control;

import org.jspecify.annotations.NullMarked;
