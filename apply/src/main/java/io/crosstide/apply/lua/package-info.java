/**
 * The Lua scripts that run inside Redis, and the encoding of what goes in and comes out of them. No
 * connection is made here.
 */
@NullMarked
package io.crosstide.apply.lua;

import org.jspecify.annotations.NullMarked;
