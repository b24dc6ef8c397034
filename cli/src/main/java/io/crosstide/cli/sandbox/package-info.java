/** Three regions, or as many as wanted, on this machine in one process. */
@NullMarked
package io.crosstide.cli.sandbox;

import org.jspecify.annotations.NullMarked;
