/** Emulated WAN: TCP proxies in process with delay, byte rate, cuts and counters. */
@NullMarked
package io.crosstide.sandbox.wan;

import org.jspecify.annotations.NullMarked;
