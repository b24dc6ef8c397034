/**
 * What the control plane needs to know of the roles it serves: small interfaces that the wiring
 * fills, so that control depends on none of them.
 */
@NullMarked
package io.crosstide.control.role;

import org.jspecify.annotations.NullMarked;
