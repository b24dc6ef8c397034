/**
 * A seeded simulation of whole regions on one scheduler: production's merge code against a
 * simulated Redis, logs and links, with crashes between any two steps. Checks the invariants of
 * {@code docs/PROTOCOL.md} after every step; the seed reproduces everything.
 */
@NullMarked
package io.crosstide.simulation;

import org.jspecify.annotations.NullMarked;
