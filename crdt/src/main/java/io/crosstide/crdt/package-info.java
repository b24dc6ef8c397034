/**
 * Clocks, identities and conflict-free types. Pure: no I/O, threads, system clock or randomness.
 */
@NullMarked
package io.crosstide.crdt;

import org.jspecify.annotations.NullMarked;
