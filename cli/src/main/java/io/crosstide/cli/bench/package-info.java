/**
 * Measures a running sandbox or deployment from outside, with ordinary Redis clients: throughput,
 * how soon writes are visible elsewhere, and what they cost.
 */
@NullMarked
package io.crosstide.cli.bench;

import org.jspecify.annotations.NullMarked;
