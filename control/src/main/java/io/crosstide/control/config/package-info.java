/**
 * The file {@code crosstide.yaml}: what may stand in it, what is wrong with it and where, and the
 * values every role starts from.
 */
@NullMarked
package io.crosstide.control.config;

import org.jspecify.annotations.NullMarked;
