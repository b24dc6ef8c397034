/** The roles as a process runs them: made from the configuration, watched by the control plane. */
@NullMarked
package io.crosstide.cli.roles;

import org.jspecify.annotations.NullMarked;
