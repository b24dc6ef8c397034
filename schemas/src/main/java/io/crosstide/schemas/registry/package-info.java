/** Access to the schema registry: one small interface, over HTTP and in memory. */
@NullMarked
package io.crosstide.schemas.registry;

import org.jspecify.annotations.NullMarked;
