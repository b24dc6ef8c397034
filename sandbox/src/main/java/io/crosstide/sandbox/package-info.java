/**
 * Regions on one machine: directories, ports and the assembly of brokers, Redis processes and WAN
 * links.
 */
@NullMarked
package io.crosstide.sandbox;

import org.jspecify.annotations.NullMarked;
