/**
 * The {@code crosstide} command. Every subcommand is a class of its own; data goes to stdout, talk
 * to stderr, and only {@link io.crosstide.cli.Crosstide#main} ends the JVM.
 */
@NullMarked
package io.crosstide.cli;

import org.jspecify.annotations.NullMarked;
