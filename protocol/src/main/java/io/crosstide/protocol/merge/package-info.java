/**
 * Merge and materialisation of one partition: CRDT state in rows, belief about what Redis holds,
 * and the effects that bring Redis to the merged value. {@link
 * io.crosstide.protocol.merge.PartitionMerger} is the door.
 */
@NullMarked
package io.crosstide.protocol.merge;

import org.jspecify.annotations.NullMarked;
