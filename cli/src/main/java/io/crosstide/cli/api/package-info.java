/** Talking to a running sandbox or deployment over its HTTP API. */
@NullMarked
package io.crosstide.cli.api;

import org.jspecify.annotations.NullMarked;
