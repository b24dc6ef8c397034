/**
 * Interpretation: one Redis's replication stream, command by command, turned into change events.
 *
 * <p>{@link io.crosstide.capture.command.StreamInterpreter} is the entry. What a command means is
 * found by its name in {@link io.crosstide.capture.command.CommandTable}, where each group of
 * handlers ({@code StringCommands}, {@code HashCommands}, {@code SetCommands}, {@code
 * ZsetCommands}, {@code KeyCommands}) registers its own; what cannot be replicated is listed in
 * {@code UnsupportedWrites}, what need not be in {@code LocalCommands}.
 *
 * <p>Pure: no I/O, threads, clock or randomness of its own, so that the simulation runs exactly
 * this code with an in-memory shadow.
 */
@NullMarked
package io.crosstide.capture.command;

import org.jspecify.annotations.NullMarked;
