/** The owner of one partition: drives the merge, its connection to Redis and what it tells. */
@NullMarked
package io.crosstide.streams.owner;

import org.jspecify.annotations.NullMarked;
