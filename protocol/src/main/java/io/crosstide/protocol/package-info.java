/**
 * The convergence protocol: change events, effects, the marker, and the pure state machines that
 * turn merged state into effects. No I/O, threads, system clock or randomness, so that the
 * simulation runs exactly the code that production runs.
 *
 * <p>The rules' names (P1..P28) and invariants (A to E, B') are those of {@code docs/PROTOCOL.md}.
 */
@NullMarked
package io.crosstide.protocol;

import org.jspecify.annotations.NullMarked;
